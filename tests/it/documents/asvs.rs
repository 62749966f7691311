//! Checks the table of OWASP ASVS: the tests and files that it names exist, and its numbers are right.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const ASVS: &str = include_str!("../../../docs/asvs.md");

/// Collects the names of the tests in a folder.
fn tests(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            tests(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let mut is_test = false;
            for line in fs::read_to_string(&path).expect("text").lines().map(str::trim) {
                let begins = ["#[test]", "#[tokio::test", "on_both! {"];
                is_test |= begins.iter().any(|begin| line.starts_with(begin));
                if let Some((_, name)) = line.split_once("fn ").filter(|_| is_test) {
                    names.insert(name.split('(').next().expect("a name").to_owned());
                    is_test = false;
                }
            }
        }
    }
}

/// Returns the code in a text.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_test(code: &str) -> bool {
    code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && code.matches('_').count() >= 3
}

fn is_file(code: &str) -> bool {
    let is_path =
        code.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b)) && !code.starts_with('/');
    is_path && (code.contains('/') || [".toml", ".lock", ".md"].iter().any(|end| code.ends_with(end)))
}

#[test]
fn the_tests_and_files_that_the_table_of_asvs_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for folder in ["src", "tests"] {
        tests(&root.join(folder), &mut names);
    }
    assert!(names.contains("the_tests_and_files_that_the_table_of_asvs_names_exist"), "{names:?}");
    let missing = |text: &'static str| -> Vec<&str> {
        let is_missing = |code: &&str| {
            (is_test(code) && !names.contains(*code)) || (is_file(code) && !root.join(code).exists())
        };
        code(text).filter(is_missing).collect()
    };
    assert_eq!(missing(ASVS), Vec::<&str>::new());
    let made_up = "`there_is_no_test_of_this_name` and `src/nothing.rs` and `Nothing.toml`";
    assert_eq!(missing(made_up).len(), 3, "what is missing is found");
    assert!(
        code(ASVS).filter(|code| is_test(code)).count() > 80
            && code(ASVS).filter(|code| is_file(code)).count() > 50
    );
}

/// Returns the cells of all table rows, without headings.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn the_table_of_asvs_counts_what_it_says() {
    let rows = rows(ASVS);
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut requirements = BTreeSet::new();
    for row in &rows {
        if let [number, level, state, shown] = row[..]
            && number.contains('.')
        {
            assert!(requirements.insert(number), "{number} stands there twice");
            assert!(!shown.is_empty(), "{number} has no evidence and no reason");
            *counts.entry((level, state.trim_matches('*'))).or_default() += 1;
        }
    }
    // Chapters without applicable requirements are lists.
    for list in ASVS.split("These are ").skip(1) {
        for entry in list.split(".\n").next().expect("a list").split(", ") {
            let (number, level) = entry.split_once(" (level ").expect("a number and a level");
            assert!(requirements.insert(number), "{number} stands there twice");
            *counts.entry((level.trim_end_matches(')'), "not applicable")).or_default() += 1;
        }
    }
    for level in ["1", "2"] {
        let states = ["holds", "not applicable", "does not hold"];
        let counted =
            states.map(|state| counts.get(&(level, state)).copied().unwrap_or_default().to_string());
        let said = rows.iter().find(|row| row[0] == level).expect("the level in the first table");
        assert_eq!(said[1..], counted, "level {level}");
    }
    assert_eq!(requirements.len(), 253, "all requirements of levels 1 and 2 of ASVS 5.0.0");
}
