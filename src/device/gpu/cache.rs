//! What was compiled so far, kept for the life of the device.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use super::context::{Context, lock};
use crate::error::Result;

/// Compiled things by what they were compiled from.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    compiled: Mutex<HashMap<K, Arc<V>>>,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self { compiled: Mutex::default() }
    }
}

impl<K: Eq + Hash, V> Cache<K, V> {
    /// What belongs to a key, compiled at the first request; errors show the label.
    pub(super) fn get(
        &self,
        context: &Context,
        label: &'static str,
        key: K,
        compile: impl FnOnce() -> V,
    ) -> Result<Arc<V>> {
        if let Some(compiled) = lock(&self.compiled).get(&key) {
            return Ok(compiled.clone());
        }
        // Compiled outside of the lock: a second thread may compile the same, and one is kept.
        let compiled = Arc::new(compile());
        context.check(label)?;
        Ok(lock(&self.compiled).entry(key).or_insert(compiled).clone())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.compiled).len()
    }
}
