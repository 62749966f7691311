//! Checks numbers, times and lists that documents repeat from the code.

use std::{collections::BTreeSet, time::Duration};

use reelshelf::{
    documents::{NoteKind, ProblemKind},
    domain::{Code, Limit, Password, ReleaseYear, Title},
    http, limits,
};
use serde_json::Value;

use super::{
    documents, files,
    markdown::{blocks, section, table},
    read,
};
use crate::support::{PASSWORD, program::run_with};

/// Returns the value of a private constant in `src/`: a product of whole numbers, or seconds.
fn constant(name: &str) -> u64 {
    let declaration = format!("const {name}: ");
    let sources = files().into_iter().filter(|path| path.starts_with("src/")).map(|path| read(&path));
    let found: BTreeSet<String> = sources
        .flat_map(|text| {
            text.lines().filter(|line| line.contains(&declaration)).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let lines: Vec<&String> = found.iter().collect();
    let [line] = lines[..] else { panic!("{name} is not one constant: {lines:?}") };
    let (_, value) = line.split_once(" = ").expect("a value");
    let digits = |factor: &str| factor.chars().filter(char::is_ascii_digit).collect::<String>();
    value
        .split('*')
        .map(|factor| digits(factor).parse::<u64>().unwrap_or_else(|_| panic!("{line}")))
        .product()
}

fn days(time: Duration) -> u64 {
    time.as_secs() / (24 * 60 * 60)
}

fn minutes(time: Duration) -> u64 {
    time.as_secs() / 60
}

/// Sentences with figures of the code, by document.
fn sentences() -> Vec<(&'static str, String)> {
    let (idle, life) = (days(limits::SESSION_IDLE_WAIT), days(limits::SESSION_LIFETIME));
    let (shortest, longest) = (Password::MIN_CHARS, Password::MAX_CHARS);
    let hours = constant("KEPT_FOR") / 60 / 60;
    let wait = limits::REQUEST_WAIT.as_secs();
    let (connections, writing) = (limits::MAX_DATABASE_CONNECTIONS, limits::MAX_DATABASE_WRITE_CONNECTIONS);
    let batch_mib = limits::MAX_BATCH_BYTES >> 20;
    let operations = format!("{},000", limits::MAX_BATCH_OPERATIONS / 1000);
    let (first, last) = (ReleaseYear::MIN, ReleaseYear::MAX);
    vec![
        (
            "docs/security.md",
            format!(
                "- {idle} days after its last use, and {life} days after the sign-in; the browser's cookie lasts {life} days, too"
            ),
        ),
        ("docs/security.md", format!("- {shortest} to {longest} characters")),
        ("docs/security.md", format!("is stored for {hours} hours")),
        (
            "docs/security.md",
            format!(
                "{} failures for one account from one address, or {} from one address",
                constant("FOR_ONE_ACCOUNT"),
                constant("FROM_ONE_ADDRESS")
            ),
        ),
        (
            "docs/security.md",
            format!(
                "remembers a correct pair for {} minutes, and {} pairs at most",
                constant("CACHED_FOR") / 60,
                constant("MAX_CACHED_PASSWORDS")
            ),
        ),
        ("docs/security.md", format!("At least {} different characters", constant("MIN_OWN_CHARS"))),
        ("docs/security.md", format!("signs in for the {}st time", limits::MAX_SESSIONS_PER_USER + 1)),
        ("docs/api.md", format!("For {hours} hours the same request")),
        (
            "docs/api.md",
            format!("A key has 1 to {} visible ASCII characters", limits::MAX_IDEMPOTENCY_KEY_CHARS),
        ),
        ("docs/api.md", format!("up to {operations} operations ({batch_mib} MiB of JSON)")),
        ("docs/api.md", format!("`limit` (1 to {})", Limit::MAX)),
        ("docs/api.md", format!("at most {} characters", limits::MAX_SEARCH_CHARS)),
        ("docs/api.md", format!("The {} nearest", limits::MAX_FUZZY_MOVIES)),
        (
            "docs/operating.md",
            format!(
                "{connections} connections, of which writes and long work (imports, restores, backups) take {writing} at most"
            ),
        ),
        ("docs/operating.md", format!("up to {} times in all", limits::MAX_WRITE_ATTEMPTS)),
        ("docs/operating.md", format!("A request waits {wait} seconds at most for the database")),
        (
            "docs/operating.md",
            format!(
                "{} GiB at most for each and {} GiB for all",
                limits::MAX_IMPORT_BYTES >> 30,
                limits::MAX_SPOOLED_BYTES >> 30
            ),
        ),
        ("docs/operating.md", format!("within {} seconds", limits::SHUTDOWN_WAIT.as_secs())),
        ("docs/operating.md", format!("More than {} MiB", constant("LONG_LOG_BYTES") >> 20)),
        (
            "docs/operating.md",
            format!("no write makes progress for {} seconds", limits::WRITER_STALL.as_secs()),
        ),
        ("docs/operating.md", format!("within {} seconds", limits::HEALTH_WAIT.as_secs())),
        ("docs/reliability.md", format!("A request waits {wait} seconds at most for the database")),
        ("docs/scaling.md", format!("up to {connections} connections and one more")),
        ("docs/sizing.md", format!("up to {} connections", connections + 1)),
        (
            "docs/sizing.md",
            format!(
                "{} GiB for each and {} GiB for all",
                limits::MAX_IMPORT_BYTES >> 30,
                limits::MAX_SPOOLED_BYTES >> 30
            ),
        ),
        ("docs/importing.md", format!("{} MiB unpacked", limits::MAX_UPLOADED_ARCHIVE_BYTES >> 20)),
        ("docs/importing.md", format!("more than {} characters", Title::MAX_CHARS)),
        ("docs/asvs.md", format!("{idle} days without use, {life} in all")),
        ("README.md", format!("| `title` | {} to {} characters |", Title::MIN_CHARS, Title::MAX_CHARS)),
        ("README.md", format!("| `releaseYear` | whole number, {first} to {last} |")),
        (
            "docs/troubleshooting.md",
            match minutes(limits::SETUP_CODE_LIFETIME) {
                60 => "after an hour".to_owned(),
                minutes => format!("after {minutes} minutes"),
            },
        ),
    ]
}

#[test]
fn figures_in_sentences_are_those_of_the_code() {
    let documents = documents();
    let text = |path: &str| {
        let document = documents.iter().find(|document| document.path == path).expect("the document");
        document.text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let wrong: Vec<_> =
        sentences().into_iter().filter(|(path, sentence)| !text(path).contains(sentence)).collect();
    assert_eq!(wrong, []);
}

/// Returns the code in the first cells of a table.
fn first_cells(rows: &[Vec<String>]) -> BTreeSet<String> {
    rows.iter().map(|row| row[0].trim_matches('`').split('=').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_table_of_statuses_has_every_status_of_a_problem() {
    let page = read("docs/api.md");
    let documented = first_cells(&table(section(&page, "## Errors"), &["status", "when"]));
    let known: BTreeSet<String> = ProblemKind::ALL.map(|kind| kind.page().status.to_string()).into();
    assert_eq!(documented, known);
}

#[test]
fn the_kinds_of_notes_and_the_codes_of_violations_are_those_of_the_code() {
    let page = read("docs/api.md");
    let documented = first_cells(&table(section(&page, "## Import"), &["kind", ""]));
    assert_eq!(documented, NoteKind::ALL.map(|kind| kind.as_str().to_owned()).into());
    let codes = Code::ALL.map(Code::as_str);
    let (_, list) = page.split_once("`/docs/errors/` lists the codes, such as").expect("some codes");
    let some: Vec<&str> = list.split('.').next().expect("a sentence").split('`').skip(1).step_by(2).collect();
    assert!(some.len() > 3 && some.iter().all(|code| codes.contains(code)), "{some:?}");
}

#[test]
fn the_options_of_an_import_are_those_of_the_description() {
    let page = read("docs/api.md");
    let documented = first_cells(&table(section(&page, "## Import"), &["option", ""]));
    let description = serde_json::to_value(http::openapi()).expect("a description");
    let parameters = description["paths"]["/movie"]["post"]["parameters"].as_array().expect("parameters");
    let of_query = parameters.iter().filter(|parameter| parameter["in"] == "query");
    let known: BTreeSet<String> =
        of_query.map(|parameter| parameter["name"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(documented, known);
}

/// Returns the member names in a JSON text, which may be incomplete.
fn members(text: &str) -> BTreeSet<String> {
    let parts: Vec<&str> = text.split('"').collect();
    let is_member = |at: &usize| parts.get(at + 1).is_some_and(|rest| rest.starts_with(':'));
    (1..parts.len()).step_by(2).filter(is_member).map(|at| parts[at].to_owned()).collect()
}

/// Returns the names of all properties in a description.
fn properties(description: &Value, found: &mut BTreeSet<String>) {
    match description {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                found.extend(properties.keys().cloned());
            }
            members.values().for_each(|value| properties(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| properties(value, found)),
        _ => {}
    }
}

#[test]
fn the_members_of_json_examples_are_in_the_description() {
    let mut known = BTreeSet::new();
    properties(&serde_json::to_value(http::openapi()).expect("a description"), &mut known);
    assert!(known.contains("releaseYear") && !known.contains("colour"));
    known.extend(NoteKind::ALL.map(|kind| kind.as_str().to_owned()));
    let page = read("docs/api.md");
    let blocks = blocks(&page);
    let examples: BTreeSet<String> = blocks
        .iter()
        .filter(|block| block.language == "json")
        .flat_map(|block| members(&block.text))
        .collect();
    assert!(examples.len() > 20, "the examples are found");
    assert_eq!(examples.difference(&known).collect::<Vec<_>>(), [&""; 0]);
    assert_eq!(members(r#"{"a": 1, "b": "c", …}"#), ["a", "b"].map(str::to_owned).into());
}

#[test]
fn exit_statuses_are_those_that_the_documents_list() {
    let page = read("docs/command-line.md");
    let documented = first_cells(&table(section(&page, "## Output"), &["status", ""]));
    let (good, refused, wrong) =
        (run_with(&["--version"], &[]), run_with(&["whoami"], &[]), run_with(&["nothing"], &[]));
    let statuses = [good.status, refused.status, wrong.status].map(|status| status.to_string());
    let known = statuses.into_iter().chain([constant("INTERRUPTED").to_string()]).collect();
    assert_eq!(documented, known);
    let help = run_with(&["help"], &[]).expect(0).out;
    let (_, list) = help.split_once("Exit status:\n").expect("a list");
    let in_help: BTreeSet<String> =
        list.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(in_help.is_subset(&documented) && in_help.len() >= 3, "{in_help:?}");
}

#[test]
fn the_password_of_the_examples_is_one_that_the_rules_accept() {
    let name = reelshelf::domain::UserName::parse("olivia").expect("a name");
    assert!(read("README.md").contains(PASSWORD) && Password::parse(PASSWORD, &name).is_ok());
}

#[test]
fn versions_are_those_of_the_manifest() {
    let (version, rust) = (env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_RUST_VERSION"));
    let given =
        [("reelshelf_", format!("{version}-1_")), ("Rust 1.", format!("{} or later", &rust["1.".len()..]))];
    let mut number = 0;
    for document in documents() {
        for (start, expected) in &given {
            let found = document.text.split(start).skip(1);
            for rest in found.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
                assert!(
                    rest.starts_with(expected.as_str()),
                    "{}: {start}{}",
                    document.path,
                    &rest[..expected.len()]
                );
                number += 1;
            }
        }
    }
    assert!(number > 8, "the versions are found");
    assert!(read("deploy/container/compose.yaml").contains(&format!("reelshelf/reelshelf:{version}\n")));
}
