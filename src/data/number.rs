//! What the constructors of [`Dataset`](super::Dataset) and the scalers accept as features,
//! targets and class labels: number types, and dimensions of targets.
//!
//! Everything is stored as f32, labels as u32. The conversions live here, so that no caller has
//! to convert an array first.

use std::fmt;

use ndarray::{Dimension, Ix1, Ix2};

/// The largest number of classes.
///
/// Every whole number up to here is exact in f32, so a label survives a round trip through a
/// float array; and what is allocated per class stays small however wrong a label is.
pub(crate) const MAX_CLASSES: usize = 1 << 24;

mod sealed {
    pub trait Sealed {}
}

/// A number that data can hold: `f32`, `f64`, every integer type, `bool`, and references to them.
///
/// Sealed: it cannot be implemented outside of this crate.
pub trait Number: Copy + fmt::Display + sealed::Sealed {
    /// The nearest f32.
    #[doc(hidden)]
    fn to_f32(self) -> f32;

    /// The nearest f64.
    #[doc(hidden)]
    fn to_f64(self) -> f64;

    /// The number as a class label; none if it is negative, fractional or 2^24 or more.
    #[doc(hidden)]
    fn to_label(self) -> Option<u32>;
}

/// A float as a class label, under the terms of [`Number::to_label`].
fn float_label(value: f64) -> Option<u32> {
    let fits = value >= 0.0 && value < MAX_CLASSES as f64 && value.fract() == 0.0;
    fits.then_some(value as u32)
}

macro_rules! float {
    ($($type:ty)*) => {$(
        impl sealed::Sealed for $type {}
        impl Number for $type {
            #[inline]
            fn to_f32(self) -> f32 {
                self as f32
            }
            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            fn to_label(self) -> Option<u32> {
                float_label(f64::from(self))
            }
        }
    )*};
}

macro_rules! integer {
    ($($type:ty)*) => {$(
        impl sealed::Sealed for $type {}
        impl Number for $type {
            #[inline]
            fn to_f32(self) -> f32 {
                self as f32
            }
            #[inline]
            fn to_f64(self) -> f64 {
                self as f64
            }
            fn to_label(self) -> Option<u32> {
                u32::try_from(self).ok().filter(|&label| (label as usize) < MAX_CLASSES)
            }
        }
    )*};
}

float! { f32 f64 }
integer! { u8 u16 u32 u64 usize i8 i16 i32 i64 isize }

impl sealed::Sealed for bool {}
impl Number for bool {
    fn to_f32(self) -> f32 {
        f32::from(u8::from(self))
    }
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self))
    }
    fn to_label(self) -> Option<u32> {
        Some(u32::from(self))
    }
}

impl<T: Number> sealed::Sealed for &T {}
impl<T: Number> Number for &T {
    fn to_f32(self) -> f32 {
        (*self).to_f32()
    }
    fn to_f64(self) -> f64 {
        (*self).to_f64()
    }
    fn to_label(self) -> Option<u32> {
        (*self).to_label()
    }
}

/// The dimensions that values to learn can have: 1 (a number a row) or 2 (rows, outputs).
///
/// Sealed: it cannot be implemented outside of this crate.
pub trait TargetDimension: Dimension + sealed::Sealed {
    /// The number of columns.
    #[doc(hidden)]
    fn columns(&self) -> usize;
}

impl sealed::Sealed for Ix1 {}
impl TargetDimension for Ix1 {
    fn columns(&self) -> usize {
        1
    }
}

impl sealed::Sealed for Ix2 {}
impl TargetDimension for Ix2 {
    fn columns(&self) -> usize {
        self[1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_whole_numbers_from_zero() {
        assert_eq!(3u8.to_label(), Some(3));
        assert_eq!(3.0f32.to_label(), Some(3));
        assert_eq!((-0.0f64).to_label(), Some(0));
        assert_eq!(true.to_label(), Some(1));
        assert_eq!((MAX_CLASSES as u64 - 1).to_label(), Some((1 << 24) - 1));
        let refused = [-1.0, 0.5, f64::NAN, f64::INFINITY, MAX_CLASSES as f64];
        assert!(refused.iter().all(|x| x.to_label().is_none()));
        assert_eq!((-1i8).to_label(), None);
        assert_eq!(MAX_CLASSES.to_label(), None);
        assert_eq!(u64::MAX.to_label(), None);
        // u32::MAX + 1 must not wrap to label 0.
        assert_eq!((1i64 << 32).to_label(), None);
    }
}
