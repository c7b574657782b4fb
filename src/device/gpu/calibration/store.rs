//! The file that keeps a calibration from one process to the next: one an adapter, driver and version of
//! this crate.
//!
//! It is a help, and never a reason to fail: what cannot be read is measured anew, what cannot be
//! written is not kept.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use serde::{Deserialize, Serialize};

use crate::device::{CACHE_VARIABLE, Calibration, DeviceInfo, DeviceKind};

/// What a calibration holds for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    adapter: String,
    backend: String,
    driver: String,
    /// Of the machine, where the adapter computes on them; several may share a home.
    processors: usize,
    version: String,
}

/// What a file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    key: Key,
    calibration: Calibration,
}

/// Where the calibration of an adapter is kept.
#[derive(Debug)]
pub(super) struct Store {
    key: Key,
    file: Option<PathBuf>,
}

impl Store {
    /// In the directory that the environment says, if it says any.
    pub(super) fn of(info: &DeviceInfo) -> Self {
        Self::inside(directory().as_deref(), info)
    }

    /// In a directory, or nowhere.
    fn inside(directory: Option<&Path>, info: &DeviceInfo) -> Self {
        let software = info.kind == DeviceKind::Software;
        let processors =
            if software { thread::available_parallelism().map_or(1, usize::from) } else { 0 };
        let key = Key {
            adapter: info.name.clone(),
            backend: info.backend.clone(),
            driver: info.driver.clone(),
            processors,
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let file = directory.map(|directory| directory.join(key.file_name()));
        Self { key, file }
    }

    /// What is kept, if it can be read and is of this adapter.
    pub(super) fn load(&self) -> Option<Calibration> {
        let text = fs::read(self.file.as_deref()?).ok()?;
        let Entry { key, calibration } = serde_json::from_slice(&text).ok()?;
        (key == self.key && calibration.check().is_ok()).then_some(calibration)
    }

    /// Keeps a calibration: whole or not at all.
    pub(super) fn save(&self, calibration: Calibration) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let entry = Entry { key: self.key.clone(), calibration };
        let text = serde_json::to_string_pretty(&entry)? + "\n";
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory)?;
        }
        // Two processes may write at the same time.
        let draft = file.with_extension(format!("{}.tmp", std::process::id()));
        let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, file));
        if written.is_err() {
            // There may be nothing to remove.
            fs::remove_file(&draft).ok();
        }
        written
    }
}

impl Key {
    /// A name that every file system takes. Keys that share one take turns, as a file says whose it is.
    fn file_name(&self) -> String {
        const LONGEST: usize = 120;
        let Self { adapter, backend, driver, processors, version } = self;
        let text = format!("{version} {backend} {adapter} {driver} {processors}");
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
        text.chars().take(LONGEST).map(plain).collect::<String>() + ".json"
    }
}

/// Where the environment says that calibrations are kept; none for nowhere.
fn directory() -> Option<PathBuf> {
    match env::var_os(CACHE_VARIABLE).filter(|value| !value.is_empty()) {
        Some(value) if value == "off" => None,
        Some(value) => Some(value.into()),
        None => caches().map(|caches| caches.join("wgrad")),
    }
}

/// The user's directory for what can be made anew.
fn caches() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        return variable("LOCALAPPDATA");
    }
    let home = |inside: &str| env::home_dir().map(|home| home.join(inside));
    if cfg!(target_os = "macos") {
        return home("Library/Caches");
    }
    variable("XDG_CACHE_HOME").or_else(|| home(".cache"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Limits;

    fn info(driver: &str) -> DeviceInfo {
        DeviceInfo {
            id: "gpu:0".into(),
            name: "A/B (tm) 2000".into(),
            backend: "vulkan".into(),
            kind: DeviceKind::Discrete,
            driver: driver.into(),
            limits: Limits {
                max_buffer_bytes: 0,
                max_binding_bytes: 0,
                max_workgroup_bytes: 0,
                max_workgroup_threads: 0,
            },
        }
    }

    /// A directory of its own for a test, removed afterwards.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("wgrad-{name}-{}", std::process::id());
            Self(env::temp_dir().join(name))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    fn calibration() -> Calibration {
        Calibration { dispatch: 3e-6, ..Calibration::typical(DeviceKind::Discrete) }.rounded()
    }

    #[test]
    fn what_is_kept_comes_back_for_the_same_driver_alone() {
        let scratch = Scratch::new("kept");
        let inside = scratch.0.join("below").join("another");
        let store = |driver| Store::inside(Some(&inside), &info(driver));
        assert_eq!(store("1.0").load(), None);
        store("1.0").save(calibration()).unwrap();
        assert_eq!(store("1.0").load(), Some(calibration()));
        assert_eq!(store("1.1").load(), None);
        // A file of another driver under this one's name.
        fs::copy(store("1.0").file.unwrap(), store("1.1").file.unwrap()).unwrap();
        assert_eq!(store("1.1").load(), None);
        let files = fs::read_dir(&inside).unwrap().count();
        assert_eq!(files, 2, "a draft is left");
    }

    #[test]
    fn what_is_no_calibration_is_measured_anew() {
        let scratch = Scratch::new("corrupt");
        let store = Store::inside(Some(&scratch.0), &info("1.0"));
        store.save(calibration()).unwrap();
        let file = store.file.clone().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let zero = Calibration { dispatch: 0.0, ..calibration() };
        store.save(zero).unwrap();
        assert_eq!(store.load(), None, "a time of 0");
        for wrong in ["", "{}", "\u{0}\u{1}", &text[..text.len() / 2], &text.replace(':', ";")] {
            fs::write(&file, wrong).unwrap();
            assert_eq!(store.load(), None, "{wrong}");
        }
        fs::write(&file, text).unwrap();
        assert_eq!(store.load(), Some(calibration()));
    }

    #[test]
    fn a_directory_that_cannot_be_written_keeps_nothing() {
        let scratch = Scratch::new("unwritable");
        fs::write(&scratch.0, "a file where a directory should be").unwrap();
        let store = Store::inside(Some(&scratch.0.join("below")), &info("1.0"));
        assert!(store.save(calibration()).is_err());
        assert_eq!(store.load(), None);
        fs::remove_file(&scratch.0).unwrap();

        let nowhere = Store::inside(None, &info("1.0"));
        nowhere.save(calibration()).unwrap();
        assert_eq!(nowhere.load(), None);
    }
}
