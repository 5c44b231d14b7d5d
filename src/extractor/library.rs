//! Finding ONNX Runtime on the machine.
//!
//! The library comes in Python's `onnxruntime` wheels, in distributions' packages and in archives that users unpack.
//! Its file name carries the version, so that the bare name never matches and folders are searched for
//! `libonnxruntime.so*` (`onnxruntime.dll`, `libonnxruntime*.dylib`).

use std::env;
use std::ffi::{CStr, OsString};
use std::path::{Path, PathBuf};

/// The oldest minor version of ONNX Runtime 1.x that offers the interface this crate is built for.
pub const OLDEST_MINOR_VERSION: u32 = 24;

/// A file that looks like ONNX Runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLibrary {
    /// Path of the file.
    pub path: PathBuf,
    /// Its version as it says itself, such as `1.32.0`; `None` when it cannot be loaded or is not ONNX Runtime 1.x.
    pub version: Option<String>,
    /// Where it was found, for people.
    pub origin: String,
}

impl FoundLibrary {
    /// The second number of its version.
    pub fn minor_version(&self) -> Option<u32> {
        self.version.as_ref()?.split('.').nth(1)?.parse().ok()
    }

    /// Whether this crate can use it.
    pub fn is_usable(&self) -> bool {
        self.minor_version().is_some_and(|minor| minor >= OLDEST_MINOR_VERSION)
    }
}

/// A place where the library may be.
struct Place {
    origin: String,
    path: PathBuf,
}

/// Every ONNX Runtime found, in order of preference; also the places that were looked at, for people.
///
/// `wanted` is a file or folder that the user named, `None` otherwise; if given, nothing else is searched. Without it:
/// `ORT_DYLIB_PATH`; the active Python environment (`VIRTUAL_ENV`, `CONDA_PREFIX`); a `.venv` or `venv` in the current
/// folder; the folder of the executable and its `lib`; the Pythons on the `PATH`; the loader's path and the system's
/// library folders.
pub fn find_libraries(wanted: Option<&Path>) -> (Vec<FoundLibrary>, Vec<String>) {
    let mut found: Vec<FoundLibrary> = Vec::new();
    let mut searched = Vec::new();
    for Place { origin, path } in places(wanted) {
        let files = libraries_at(&path);
        if files.is_empty() {
            searched.push(format!("{} ({origin}): none", path.display()));
        }
        for file in files {
            // The same file is often reachable by several names: libonnxruntime.so → libonnxruntime.so.1.31.1.
            let file = file.canonicalize().unwrap_or(file);
            if found.iter().any(|known| known.path == file) {
                continue;
            }
            let library = FoundLibrary { version: version_of(&file), path: file, origin: origin.clone() };
            let verdict = match &library.version {
                Some(version) if library.is_usable() => format!("version {version}"),
                Some(version) => format!("version {version} is too old"),
                None => "cannot be loaded as ONNX Runtime".into(),
            };
            searched.push(format!("{} ({origin}): {verdict}", library.path.display()));
            found.push(library);
        }
    }
    (found, searched)
}

/// The version that a library says it has; `None` when it is not ONNX Runtime 1.x. `ort` asks for it as well, but tells the
/// minor version alone.
#[allow(unsafe_code)]
fn version_of(file: &Path) -> Option<String> {
    type GetApiBase = unsafe extern "C" fn() -> *const ort::sys::OrtApiBase;
    // SAFETY: opening a library runs its initialisers. This one was named by the user or is where ONNX Runtime is installed, and
    // is opened to be used: `ort` opens it in the same way.
    let library = unsafe { libloading::Library::new(file) }.ok()?;
    // SAFETY: a function of this name has had this type in every ONNX Runtime.
    let get_api_base = unsafe { library.get::<GetApiBase>(b"OrtGetApiBase") }.ok()?;
    // SAFETY: it takes nothing, and returns null or a structure that lives as long as the library, which is open here.
    let base = unsafe { get_api_base().as_ref() }?;
    // SAFETY: its first two members have been the same in every version; this one returns a constant string.
    let version = unsafe { CStr::from_ptr((base.GetVersionString)()) };
    version.to_str().ok().filter(|version| version.starts_with("1.")).map(String::from)
}

fn places(wanted: Option<&Path>) -> Vec<Place> {
    let place = |origin: &str, path: PathBuf| Place { origin: origin.into(), path };
    if let Some(path) = wanted {
        return vec![place("as asked for", path.into())];
    }
    if let Some(path) = env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return vec![place("ORT_DYLIB_PATH", path.into())];
    }
    let mut places = Vec::new();
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if let Some(root) = env::var_os(variable).filter(|path| !path.is_empty()) {
            places.extend(python_packages(Path::new(&root)).map(|path| place(variable, path)));
        }
    }
    for folder in [".venv", "venv"] {
        places.extend(python_packages(Path::new(folder)).map(|path| place("virtual environment here", path)));
    }
    if let Some(folder) = env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf)) {
        places.push(place("beside the program", folder.clone()));
        places.push(place("beside the program", folder.join("lib")));
    }
    for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        let has_python = ["python3", "python", "python.exe"].iter().any(|name| folder.join(name).is_file());
        if let (true, Some(root)) = (has_python, folder.parent()) {
            places.extend(python_packages(root).map(|path| place("Python on the PATH", path)));
        }
    }
    for variable in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
        let folders = env::var_os(variable).unwrap_or_default();
        places.extend(env::split_paths(&folders).filter(|path| path.is_dir()).map(|path| place(variable, path)));
    }
    for folder in SYSTEM_FOLDERS {
        places.push(place("system", folder.into()));
    }
    places
}

const SYSTEM_FOLDERS: [&str; 6] = [
    "/usr/local/lib",
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/opt/homebrew/lib",
];

/// The folders `…/site-packages/onnxruntime/capi` of a Python installation, where its wheels put the library.
fn python_packages(root: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let mut bases = vec![root.join("Lib")];
    for lib in ["lib", "lib64", "local/lib"] {
        bases.extend(sorted_entries(&root.join(lib)).into_iter().filter(|path| file_name(path).starts_with("python")));
    }
    bases
        .into_iter()
        .flat_map(|base| ["site-packages", "dist-packages"].map(|packages| base.join(packages)))
        .map(|packages| packages.join("onnxruntime").join("capi"))
        .filter(|folder| folder.is_dir())
}

/// The library files of a folder, newest name first; or the file itself.
fn libraries_at(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.into()];
    }
    let mut files: Vec<PathBuf> =
        sorted_entries(path).into_iter().filter(|path| is_library(&file_name(path))).collect();
    files.reverse();
    files
}

fn is_library(name: &str) -> bool {
    name.starts_with("libonnxruntime.so")
        || name == "onnxruntime.dll"
        || name.strip_prefix("libonnxruntime.").is_some_and(|rest| rest.ends_with("dylib"))
}

fn sorted_entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().map(OsString::from).unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn knows_a_library_by_its_name() {
        for name in ["libonnxruntime.so", "libonnxruntime.so.1.31.1", "onnxruntime.dll", "libonnxruntime.1.31.1.dylib"]
        {
            assert!(is_library(name), "{name}");
        }
        for name in ["libonnxruntime_providers_cuda.so", "libonnxruntime_providers_shared.so", "onnxruntime.lib"] {
            assert!(!is_library(name), "{name}");
        }
    }

    #[test]
    fn looks_into_the_wheels_of_a_python_installation() {
        let root = tempfile::tempdir().unwrap();
        let capi = root.path().join("lib/python3.12/site-packages/onnxruntime/capi");
        fs::create_dir_all(&capi).unwrap();
        fs::write(capi.join("libonnxruntime.so.1.31.1"), b"no library").unwrap();
        assert_eq!(python_packages(root.path()).collect::<Vec<_>>(), std::slice::from_ref(&capi));

        let (found, searched) = find_libraries(Some(&capi));
        assert_eq!(found.len(), 1);
        assert!(!found[0].is_usable());
        assert!(searched[0].ends_with("(as asked for): cannot be loaded as ONNX Runtime"), "{searched:?}");
    }

    #[test]
    fn says_where_it_found_nothing() {
        let empty = tempfile::tempdir().unwrap();
        let (found, searched) = find_libraries(Some(empty.path()));
        assert!(found.is_empty());
        assert_eq!(searched, [format!("{} (as asked for): none", empty.path().display())]);
    }
}
