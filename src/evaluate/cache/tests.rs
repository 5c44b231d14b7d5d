use ndarray::Array2;

use super::*;
use crate::output::Output;
use crate::stats::Features;

fn key(digit: char) -> CacheKey {
    CacheKey(std::iter::repeat_n(digit, 64).collect())
}

fn features(rows: usize) -> FeatureFile {
    let features = Features::new(Array2::zeros((rows, 8))).unwrap();
    FeatureFile { features, logits: None, spatial: None, names: None, labels: None, provenance: None }
}

#[test]
fn files_of_others_are_not_counted_and_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let foreign = [
        "mine.npz".to_owned(),
        format!("{}.npy", "a".repeat(64)),
        format!("{}.npz", "a".repeat(63)),
        format!("{}.npz", "A".repeat(64)),
        format!("{}.npz", "g".repeat(64)),
        format!("{}npz", "a".repeat(64)),
    ];
    for name in &foreign {
        fs::write(path(name), vec![0; 1 << 16]).unwrap();
    }
    // Room for one entry, but not for the files of others.
    let cache = FeatureCache::at(folder.path().into(), 1 << 14);
    for digit in ['0', 'f'] {
        cache.store(&key(digit), &features(300)).unwrap();
    }
    assert!(cache.find(&key('0')).is_none() && cache.find(&key('f')).is_some());
    assert_eq!(cache.entries().unwrap().len(), 1);
    assert_eq!(cache.clear().unwrap().0, 1);
    for name in &foreign {
        assert!(path(name).exists(), "{name}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), foreign.len());
}

#[test]
fn a_damaged_entry_is_removed_and_one_that_cannot_be_read_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let cache = FeatureCache::at(folder.path().into(), u64::MAX);
    assert!(cache.find(&key('0')).is_none());
    cache.store(&key('0'), &features(3)).unwrap();
    let path = cache.path(&key('0'));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(cache.find(&key('0')).is_none() && !path.exists());

    // Reading a folder is an error of the system, as a failing disk is.
    fs::create_dir(&path).unwrap();
    assert!(cache.find(&key('0')).is_none() && path.exists());
    assert_eq!(cache.clear().unwrap(), (0, 0));
    assert!(path.exists());
}

#[test]
fn what_killed_processes_left_is_removed_with_the_entries() {
    let folder = tempfile::tempdir().unwrap();
    let stale = folder.path().join(".gan-metrics-0123456789abcdef.part");
    fs::write(&stale, b"half an entry").unwrap();
    let cache = FeatureCache::at(folder.path().into(), u64::MAX);
    assert!(!stale.exists());
    let live = Output::claim(&cache.path(&key('1'))).unwrap();
    fs::write(&stale, b"half an entry").unwrap();
    cache.clear().unwrap();
    assert!(!stale.exists());
    live.write_all(b"whole").unwrap();
    assert_eq!(cache.entries().unwrap().len(), 1);
}
