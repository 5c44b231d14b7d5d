//! Who may import whom: the table of ARCHITECTURE.md, kept true.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules of the library, and the modules that each may name besides itself. `error`, `interrupt`, `atomic`,
/// `digest` and `regular` are open to all.
const ALLOWED: &[(&str, &[&str])] = &[
    ("atomic", &[]),
    ("digest", &[]),
    ("divergence", &["linalg"]),
    ("error", &[]),
    ("interrupt", &[]),
    ("evaluate", &["extractor", "image", "metrics", "stats", "linalg"]),
    ("extractor", &["image", "stats"]),
    ("gan", &["divergence"]),
    ("image", &[]),
    ("linalg", &[]),
    ("metrics", &["linalg", "stats"]),
    ("regular", &[]),
    ("report", &["evaluate", "extractor", "image", "linalg", "metrics", "score", "stats"]),
    ("score", &["linalg", "metrics", "stats"]),
    ("stats", &["linalg"]),
];

const OPEN_TO_ALL: [&str; 5] = ["atomic", "digest", "error", "interrupt", "regular"];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The modules named as `crate::module` in code, not in documentation.
fn imported_modules(source: &str) -> Vec<String> {
    // Unit tests may lean on neighbours to make their inputs.
    let code = source.split("#[cfg(test)]").next().unwrap();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let root = Path::new("src");
    let mut violations = Vec::new();
    let mut seen = 0;
    for file in rust_files(root) {
        let relative = file.strip_prefix(root).unwrap();
        let module = relative.components().next().unwrap().as_os_str().to_string_lossy();
        let module = module.trim_end_matches(".rs").to_owned();
        // The command line may use everything.
        if ["lib", "main", "cli"].contains(&module.as_str()) || file.ends_with("tests.rs") {
            continue;
        }
        seen += 1;
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("module `{module}` is not in the table: add it here and to ARCHITECTURE.md"));
        for imported in imported_modules(&fs::read_to_string(&file).unwrap()) {
            let fine = imported == module
                || OPEN_TO_ALL.contains(&imported.as_str())
                || allowed.contains(&imported.as_str())
                || !ALLOWED.iter().any(|(name, _)| *name == imported);
            if !fine {
                violations.push(format!("{} uses crate::{imported}", relative.display()));
            }
        }
    }
    assert!(seen > 20, "the sources were not found");
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn the_scanner_sees_imports_and_ignores_prose() {
    let source = "//! crate::image\nuse crate::stats::Features;\n/// [`crate::linalg`]\nfn f(x: crate::metrics::Fid) {}\n\
                  #[cfg(test)]\nmod tests { use crate::evaluate; }";
    assert_eq!(imported_modules(source), ["stats", "metrics"]);
}
