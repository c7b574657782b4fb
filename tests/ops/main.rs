//! Every op on every device against f64, over ragged shapes, under guard.
//!
//! The references (`reference`) are written here, from the formulas in the documentation of `Op`,
//! and call nothing of the library's mathematics. Tolerances are bounds of rounding, not of taste:
//! a product's is a multiple of eps * sum |a||b|. A case that a device gets wrong names the op, its
//! shapes, the device, the element, and what it should be.

#[path = "../common/mod.rs"]
mod common;

mod adjust;
mod comparator;
mod elementwise;
mod errors;
mod histogram;
mod layout;
mod loss;
mod near;
mod product;
mod random;
mod reduce;
mod reference;
mod update;
