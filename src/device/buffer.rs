//! A handle of device memory.

use std::fmt;
use std::ops::Range;

use super::{Device, Storage};
use crate::error::{Error, Result};

/// Memory of a device: 4-byte words, f32 or u32 as the instructions take them.
///
/// A clone is another handle of the same memory. For computing with matrices see
/// [`Tensor`](crate::Tensor).
#[derive(Clone)]
pub struct Buffer {
    device: Device,
    storage: Storage,
    words: usize,
}

impl Buffer {
    pub(crate) fn new(device: Device, storage: Storage, words: usize) -> Self {
        Self { device, storage, words }
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The size in 4-byte words.
    #[must_use]
    pub fn words(&self) -> usize {
        self.words
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Overwrites `words.len()` words from `offset` on, after the work queued so far.
    ///
    /// # Errors
    /// [`Error::Program`] beyond the end, [`Error::Device`].
    pub fn write<T: bytemuck::Pod>(&self, offset: usize, words: &[T]) -> Result<()> {
        let words: &[f32] = bytemuck::try_cast_slice(words).map_err(|_| Error::Program {
            op: "write",
            reason: "elements must be 4-byte words".into(),
        })?;
        self.within("write", &(offset..offset.saturating_add(words.len())))?;
        if words.is_empty() {
            return Ok(());
        }
        self.device.backend().write(&self.storage, offset, words)
    }

    /// Waits for the work queued so far and reads everything.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub fn read<T: bytemuck::Pod>(&self) -> Result<Vec<T>> {
        pollster::block_on(self.read_async())
    }

    /// [`read`](Self::read), without blocking.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub async fn read_async<T: bytemuck::Pod>(&self) -> Result<Vec<T>> {
        self.read_range_async(0..self.words).await
    }

    /// Waits for the work queued so far and reads a range of words.
    ///
    /// # Errors
    /// [`Error::Program`] beyond the end, [`Error::Device`].
    pub fn read_range<T: bytemuck::Pod>(&self, range: Range<usize>) -> Result<Vec<T>> {
        pollster::block_on(self.read_range_async(range))
    }

    /// [`read_range`](Self::read_range), without blocking.
    ///
    /// # Errors
    /// Those of [`read_range`](Self::read_range).
    pub async fn read_range_async<T: bytemuck::Pod>(&self, range: Range<usize>) -> Result<Vec<T>> {
        self.within("read", &range)?;
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let ranges = [(&self.storage, range)];
        let mut parts = self.device.backend().read(&ranges).await?;
        let words = parts.pop().unwrap_or_default();
        // Numbers of 32 bits stay where they are.
        let cast = bytemuck::allocation::try_cast_vec(words);
        Ok(cast.unwrap_or_else(|(_, words)| bytemuck::pod_collect_to_vec(&words)))
    }

    fn within(&self, op: &'static str, range: &Range<usize>) -> Result<()> {
        if range.start <= range.end && range.end <= self.words {
            return Ok(());
        }
        let reason = format!("words {range:?} of a buffer that has {}", self.words);
        Err(Error::Program { op, reason })
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} words on {})", self.words, self.device)
    }
}
