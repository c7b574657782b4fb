//! Files as the readers and writers of this crate use them: errors that name the path, and
//! writing that replaces a file whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Opens `path` for reading.
pub(crate) fn open(path: &Path) -> Result<BufReader<File>> {
    // On Unix a folder opens like a file, and fails only when it is read.
    if path.is_dir() {
        return Err(Error::file(path, "this is a folder, not a file"));
    }
    let file = File::open(path).map_err(|e| Error::file(path, e))?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

/// Reads exactly `bytes` bytes to the end of `reader`, or says what is there instead.
///
/// Memory grows with what is really read: a corrupt header that promises 2^40 bytes costs
/// nothing.
pub(super) fn read_exactly(
    reader: &mut impl Read,
    bytes: u64,
) -> std::result::Result<Vec<u8>, String> {
    let mut data = Vec::new();
    let limit = bytes.saturating_add(1);
    let found = reader
        .take(limit)
        .read_to_end(&mut data)
        .map_err(|e| format!("reading stopped after {} bytes of data: {e}", data.len()))?;
    match (found as u64).cmp(&bytes) {
        std::cmp::Ordering::Less => {
            Err(format!("truncated: the header promises {bytes} bytes of data, {found} are there"))
        }
        std::cmp::Ordering::Greater => {
            Err(format!("trailing data after the {bytes} bytes that the header promises"))
        }
        std::cmp::Ordering::Equal => Ok(data),
    }
}

/// Writes `path` through a temporary file in the same folder that takes its place at the end.
///
/// Readers find the old file or the new one, never a part; a failure leaves the old one.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<()> {
    let temporary = temporary_beside(path)?;
    let written = write_synced(&temporary, write).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|e| {
        // The first failure is the one to report; the file may not even exist.
        let _ = fs::remove_file(&temporary);
        Error::file(path, format!("writing failed: {e}"))
    })
}

/// Creates `path`, writes it and waits until it is on the disk, so that the rename that follows
/// cannot overtake the data.
fn write_synced(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut writer = BufWriter::new(file);
    write(&mut writer)?;
    writer.flush()?;
    writer.get_ref().sync_all()
}

/// A name beside `path` that no other thread or process uses.
fn temporary_beside(path: &Path) -> Result<PathBuf> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or_else(|| Error::file(path, "this names no file"))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.{}.tmp", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed)));
    Ok(path.with_file_name(hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("wgrad-file-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("kept.bin");
        replace(&path, |w| w.write_all(b"old")).unwrap();

        let failed = replace(&path, |w| {
            w.write_all(b"half of the new")?;
            Err(io::Error::other("no space left"))
        });
        let message = failed.unwrap_err().to_string();
        assert!(message.contains("kept.bin") && message.contains("no space left"), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"old");

        replace(&path, |w| w.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "a temporary file was left behind");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_promise_of_exabytes_allocates_nothing() {
        let message = read_exactly(&mut &[1u8, 2, 3][..], u64::MAX).unwrap_err();
        assert!(message.contains("truncated") && message.contains("3 are there"), "{message}");
        assert!(read_exactly(&mut &[1u8, 2, 3][..], 2).unwrap_err().contains("trailing"));
        assert_eq!(read_exactly(&mut &[1u8, 2, 3][..], 3), Ok(vec![1, 2, 3]));
    }
}
