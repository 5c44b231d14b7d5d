//! Who may import whom: the table of ARCHITECTURE.md, kept true.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules of the library, and the modules that each may name besides itself and those that are open to all.
const ALLOWED: &[(&str, &[&str])] = &[
    ("digest", &[]),
    ("divergence", &["linalg"]),
    ("error", &[]),
    ("evaluate", &["extractor", "image", "metrics", "score", "stats"]),
    ("extractor", &["image", "stats"]),
    ("foreign", &[]),
    ("gan", &["divergence", "extractor", "linalg"]),
    ("image", &[]),
    ("interrupt", &[]),
    ("linalg", &[]),
    ("metrics", &["linalg", "stats"]),
    ("numpy", &[]),
    ("options", &[]),
    ("output", &[]),
    ("pickle", &[]),
    ("random_state", &[]),
    ("registers", &[]),
    ("regular", &[]),
    ("report", &["evaluate", "extractor", "image", "linalg", "metrics", "score", "stats"]),
    ("score", &["metrics"]),
    ("stats", &["linalg"]),
    ("testing", &["image", "report", "score"]),
];

const OPEN_TO_ALL: [&str; 11] = [
    "digest",
    "error",
    "foreign",
    "interrupt",
    "numpy",
    "options",
    "output",
    "pickle",
    "random_state",
    "registers",
    "regular",
];

/// The command line may use everything, and nobody may use it.
const UNLISTED: [&str; 3] = ["cli", "lib", "main"];

/// Files of which a `#[cfg(test)]` elsewhere makes a module.
const TEST_FILES: [&str; 2] = ["tests.rs", "testing.rs"];

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

/// The module of a file or folder directly in `src`.
fn module_of(relative: &Path) -> String {
    relative.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The code alone: comments, strings and characters are left out.
fn code_of(source: &str) -> String {
    let (mut code, mut rest) = (String::new(), source);
    while let Some(first) = rest.chars().next() {
        let raw = rest.strip_prefix('r').map(|tail| tail.trim_start_matches('#')).filter(|tail| tail.starts_with('"'));
        let in_word = code.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(tail) = raw.filter(|_| !in_word) {
            let hashes = "#".repeat(rest.len() - tail.len() - 1);
            let end = tail[1..].find(&format!("\"{hashes}")).expect("a raw string ends");
            rest.len() - tail.len() + 1 + end + 1 + hashes.len()
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')) {
            quoted(rest, '\'')
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        rest = &rest[skipped..];
    }
    code
}

/// Length of the literal that a text begins with.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Code without what only tests compile: they may lean on neighbours to make their inputs.
fn without_tests(code: &str) -> String {
    const TESTS: &str = "#[cfg(test)]";
    let (mut kept, mut rest) = (String::new(), code);
    while let Some(at) = rest.find(TESTS) {
        kept += &rest[..at];
        let item = &rest[at + TESTS.len()..];
        rest = &item[end_of_item(item)..];
    }
    kept + rest
}

/// An item ends with a semicolon, or with the brace that its first one pairs with.
fn end_of_item(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        let end = at + c.len_utf8();
        if depth == 0 && (c == ';' || c == '}' && !code[end..].trim_start().starts_with(';')) {
            return end;
        }
    }
    code.len()
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The modules named as `crate::module` or within `crate::{…}`.
fn imported_modules(source: &str) -> Vec<String> {
    let code = without_tests(&code_of(source));
    let mut modules = Vec::new();
    for path in code.split("crate::").skip(1) {
        let Some(group) = path.trim_start().strip_prefix('{') else {
            modules.push(word(path));
            continue;
        };
        modules.push(word(group));
        let mut depth = 0;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => modules.push(word(&group[at + 1..])),
                _ => {}
            }
        }
    }
    modules.retain(|module| !module.is_empty());
    modules
}

#[test]
fn modules_import_what_the_table_allows_and_all_of_it() {
    let root = Path::new("src");
    let files = rust_files(root);
    let inside = |file: &Path| file.strip_prefix(root).unwrap().to_owned();
    let modules: BTreeSet<String> = files.iter().map(|file| module_of(&inside(file))).collect();
    let table: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut used = BTreeMap::<String, BTreeSet<String>>::new();
    let mut violations = Vec::new();
    for file in &files {
        let module = module_of(&inside(file));
        if UNLISTED.contains(&module.as_str()) || TEST_FILES.iter().any(|name| file.ends_with(name)) {
            continue;
        }
        let allowed = table
            .get(module.as_str())
            .unwrap_or_else(|| panic!("module `{module}` is not in the table: add it here and to ARCHITECTURE.md"));
        for imported in imported_modules(&fs::read_to_string(file).unwrap()) {
            // What is not a module is an item of the root.
            if imported == module || OPEN_TO_ALL.contains(&imported.as_str()) || !modules.contains(&imported) {
                continue;
            }
            if !allowed.contains(&imported.as_str()) {
                violations.push(format!("{} uses crate::{imported}", file.display()));
            }
            used.entry(module.clone()).or_default().insert(imported);
        }
    }
    assert!(files.len() > 20, "the sources were not found");
    for (module, allowed) in &table {
        if !modules.contains(*module) {
            violations.push(format!("`{module}` is in the table and not in src"));
        }
        let idle = allowed.iter().filter(|name| !used.get(*module).is_some_and(|used| used.contains(**name)));
        violations.extend(idle.map(|name| format!("`{module}` may use `{name}` and does not")));
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn the_table_in_the_documentation_is_this_one() {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let names = |cell: &str| -> BTreeSet<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = text.lines().skip_while(|line| !line.starts_with("| module |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|')).map(|line| line.split('|').collect::<Vec<_>>());
    let written: BTreeMap<String, BTreeSet<String>> = rows
        .map(|row| (names(row[1]).pop_first().unwrap(), names(row[3])))
        .filter(|(module, _)| !UNLISTED.contains(&module.as_str()))
        .collect();
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let expected = ALLOWED.iter().map(|(module, allowed)| ((*module).to_owned(), own(allowed)));
    assert_eq!(written, expected.collect(), "ARCHITECTURE.md is on the left");
}

#[test]
fn the_scanner_sees_imports_and_ignores_prose_and_tests() {
    let source = r##"
        //! crate::image
        use crate::stats::Features;
        use crate::{evaluate, gan::{ops::{Add, Mul}, Tensor}, Result,
            linalg as algebra, report::{self}};
        /// [`crate::linalg`]
        fn f<'a>(x: &'a crate::metrics::Fid) -> char { '{' }
        #[cfg(test)]
        mod testing;
        const WORDS: [&str; 3] = ["crate::cli \" // {", r#"crate::cli"#, "}"]; /* crate::cli */
        #[cfg(test)]
        use crate::{cli, image};
        #[cfg(test)]
        #[path = "tests.rs"]
        mod tests { use crate::image; fn f() { let _ = '}'; } }
        pub use crate::score::Metric; // after the tests, too
    "##;
    let expected = ["stats", "evaluate", "gan", "Result", "linalg", "report", "metrics", "score"];
    assert_eq!(imported_modules(source), expected);
}
