//! Checks files, links, settings, make targets and code names in the documents.

use std::collections::BTreeSet;

use super::{
    Document, everywhere, files, is_markdown, made_up,
    markdown::{anchors, code, links, shell_blocks},
    read,
    shell::{self, without_variables},
};

/// Files of clients, archives and earlier versions.
const ELSEWHERE: [&str; 3] = ["reelshelf/logins.json", "lists/", "reelshelf.yaml"];

fn is_path(word: &str) -> bool {
    const ENDS: [&str; 13] = [
        ".rs", ".toml", ".md", ".yaml", ".yml", ".css", ".js", ".mjs", ".html", ".py", ".sql", ".service",
        ".conf",
    ];
    let is_made = ["target/", "application/", "text/", "image/"].iter().any(|start| word.starts_with(start));
    word.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-<>{},".contains(&b))
        && !word.starts_with(['/', '.', '<'])
        && !is_made
        && !ELSEWHERE.contains(&word)
        && (word.contains('/') || ENDS.iter().any(|end| word.ends_with(end)))
}

/// Expands the braces of a path.
fn alternatives(path: &str) -> Vec<String> {
    let parts = path.split_once('{').and_then(|(start, rest)| Some((start, rest.split_once('}')?)));
    let Some((start, (middle, end))) = parts else { return vec![path.to_owned()] };
    middle.split(',').flat_map(|choice| alternatives(&format!("{start}{choice}{end}"))).collect()
}

/// Returns the part of a path before a placeholder such as `<noun>` or `NNNN`: a folder.
fn without_placeholder(path: &str) -> &str {
    let end = path.find('<').or_else(|| path.find("NNNN"));
    end.map_or(path, |end| path[..end].rsplit_once('/').map_or("", |(folder, _)| folder))
}

fn exists(files: &[String], path: &str) -> bool {
    let path = without_placeholder(path).trim_end_matches('/');
    let (below, inside) = (format!("/{path}"), format!("{path}/"));
    let within = format!("/{path}/");
    path.is_empty()
        || files.iter().any(|file| {
            file == path || file.ends_with(&below) || file.starts_with(&inside) || file.contains(&within)
        })
}

fn missing_files(files: &[String], document: &Document) -> Vec<String> {
    let commands = shell_blocks(&document.text);
    let commands = commands.iter().flat_map(|block| shell::commands(block));
    let programs = commands.filter_map(|command| without_variables(&command).first().cloned());
    let quoted =
        code(&document.text).into_iter().filter_map(|code| code.split(' ').next().map(str::to_owned));
    let paths = quoted.chain(programs).filter(|word| is_path(word));
    paths.flat_map(|path| alternatives(&path)).filter(|path| !exists(files, path)).collect()
}

#[test]
fn every_file_that_a_document_names_exists() {
    let files = files();
    assert_eq!(everywhere(|document| missing_files(&files, document)), Vec::<String>::new());
    let wrong = made_up(
        "`src/nothing.rs`, `nothing.rs`, `src/{db,nothing}/`, `src/nothing/<noun>.rs`, `src/domain/<noun>.rs`",
    );
    assert_eq!(missing_files(&files, &wrong).len(), 4, "what is missing is found");
}

fn broken_links(document: &Document) -> Vec<String> {
    let folder = document.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_broken = |target: &String| {
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in path.split('/') {
            match part {
                ".." => drop(parts.pop()),
                "" | "." => {}
                part => parts.push(part),
            }
        }
        let path = if path.is_empty() { document.path.clone() } else { parts.join("/") };
        let is_there = path == document.path || super::root().join(&path).exists();
        let text = || if path == document.path { document.text.clone() } else { read(&path) };
        !is_there || (!anchor.is_empty() && !anchors(&text()).contains(&anchor.to_owned()))
    };
    let is_here = |target: &String| !target.contains("://") && !target.starts_with("mailto:");
    links(&document.text).into_iter().filter(is_here).filter(is_broken).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    assert_eq!(everywhere(broken_links), Vec::<String>::new());
    let changes = Document { path: "CHANGELOG.md".to_owned(), text: read("CHANGELOG.md") };
    assert_eq!(broken_links(&changes), Vec::<String>::new());
    let wrong =
        made_up("# Here\n[a](nothing.md) [b](api.md#nothing) [c](#nothing) [d](#here) [e](api.md#events)\n");
    assert_eq!(broken_links(&wrong), ["nothing.md", "api.md#nothing", "#nothing"], "what is broken is found");
}

#[test]
fn the_index_lists_every_document() {
    let index: BTreeSet<String> = links(&read("docs/README.md")).into_iter().collect();
    let is_page = |path: &String| is_markdown(path) && path.starts_with("docs/") && path != "docs/README.md";
    let is_missing = |path: &String| !index.contains(path.trim_start_matches("docs/"));
    let missing: Vec<String> = files().into_iter().filter(is_page).filter(is_missing).collect();
    assert_eq!(missing, [""; 0]);
    assert!(index.len() > 15, "{index:?}");
}

/// Returns the names that begin with `REELSHELF_`.
fn settings(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let found = text.match_indices("REELSHELF_").map(|(at, _)| &text[at..]);
    found.map(|rest| rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())].to_owned()).collect()
}

/// Returns all source text of the program and its surroundings.
fn sources() -> String {
    let is_document = |path: &str| is_markdown(path) || path.starts_with("tests/it/documents/");
    let texts = files().into_iter().filter(|path| !is_document(path));
    texts.filter_map(|path| std::fs::read_to_string(super::root().join(path)).ok()).collect()
}

#[test]
fn every_setting_that_a_document_names_exists() {
    let known = settings(&sources());
    let unknown =
        |document: &Document| settings(&document.text).difference(&known).cloned().collect::<Vec<_>>();
    assert_eq!(everywhere(unknown), Vec::<String>::new());
    assert_eq!(unknown(&made_up("REELSHELF_NOTHING REELSHELF_LISTEN")), ["REELSHELF_NOTHING"]);
}

/// Returns the first arguments of `make` commands.
fn targets(document: &Document) -> Vec<String> {
    let blocks = shell_blocks(&document.text).into_iter().chain(code(&document.text));
    let blocks = blocks.filter(|text| text.matches(['\'', '"']).count() % 2 == 0);
    let commands: Vec<_> = blocks.flat_map(|block| shell::commands(&block)).collect();
    let target = |command: &Vec<String>| match without_variables(command) {
        [make, target, ..] if make == "make" => Some(target.clone()),
        _ => None,
    };
    commands.iter().filter_map(target).collect()
}

#[test]
fn every_target_of_make_that_a_document_names_exists() {
    let makefile = read("Makefile");
    let is_missing = |target: &String| !makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
    let missing = |document: &Document| targets(document).into_iter().filter(is_missing).collect::<Vec<_>>();
    assert_eq!(everywhere(missing), Vec::<String>::new());
    assert_eq!(missing(&made_up("`make nothing`, `make run`")), ["nothing"]);
}

/// Returns the name in quoted code, such as `commit` in `audit::commit(…)`.
fn name_of_code(code: &str) -> Option<String> {
    let name = code.split(['(', '<', ' ', '{']).next()?.trim_end_matches('!');
    let last = name.rsplit("::").next()?;
    let is_name = last.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !last.is_empty();
    let is_camel = last.starts_with(|c: char| c.is_ascii_uppercase())
        && last.contains(|c: char| c.is_ascii_lowercase())
        && !last.contains('_');
    (is_name && (is_camel || last.contains('_') || code.contains("::") || code.contains('!')))
        .then(|| last.to_owned())
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect()
}

#[test]
fn every_name_of_the_code_that_a_document_gives_exists() {
    let sources = sources();
    let known = words(&sources);
    let missing = |document: &Document| {
        if document.path.starts_with("docs/") && document.path != "docs/made-up.md" {
            return Vec::new(); // these are for users, and name what other programs have too
        }
        let names = code(&document.text).into_iter().filter_map(|code| name_of_code(&code));
        names.filter(|name| !known.contains(name.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(everywhere(missing), Vec::<String>::new());
    assert_eq!(
        missing(&made_up("`NoSuchType`, `no_such_function(a)`, `App`")),
        ["NoSuchType", "no_such_function"]
    );
}
