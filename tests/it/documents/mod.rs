//! Checks the documents: what they quote from the program exists, and their examples run.

mod asvs;
mod commands;
mod examples;
mod figures;
mod markdown;
mod names;
mod routes;
mod shell;

use std::{fs, path::Path};

/// A document of the repository.
struct Document {
    /// Its path, such as `docs/api.md`.
    path: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the paths of all files of the repository, except build results and installed packages.
fn files() -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
            if [".git", ".venv", "target", "node_modules", "__pycache__"].contains(&name) {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            } else {
                let path = path.strip_prefix(root()).expect("a path below the root");
                found.push(path.to_str().expect("a path in UTF-8").to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(root(), &mut found);
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn is_markdown(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == "md")
}

/// Returns all documents except the changelog, which describes old versions.
fn documents() -> Vec<Document> {
    let is_document = |path: &String| is_markdown(path) && !path.starts_with('.') && path != "CHANGELOG.md";
    let documents: Vec<_> =
        files().into_iter().filter(is_document).map(|path| Document { text: read(&path), path }).collect();
    assert!(documents.len() > 20, "the documents are found");
    documents
}

/// Runs a check on all documents. Returns its findings with their paths.
fn everywhere(check: impl Fn(&Document) -> Vec<String>) -> Vec<String> {
    let of = |document: &Document| {
        check(document).into_iter().map(|found| format!("{}: {found}", document.path)).collect::<Vec<_>>()
    };
    documents().iter().flat_map(of).collect()
}

/// Creates a document to show that a check can fail.
fn made_up(text: &str) -> Document {
    Document { path: "docs/made-up.md".to_owned(), text: text.to_owned() }
}
