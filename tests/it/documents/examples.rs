//! Runs the shell examples of the documents against a service.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use reelshelf::domain::{Role, Time};
use serde_json::{Value, json};

use super::{
    markdown::{blocks, code, section, shell_blocks, table},
    read, root,
};
use crate::{
    on_both,
    support::{Kind, START, Service, TestDatabase, program::run_with_input},
};

/// The prelude of each example: a failed request ends it, and an event stream is cut off.
const BEFORE: &str = r#"
curl() {
    for word; do case $word in */events) return 0 ;; esac; done
    command curl --fail-with-body "$@"
}
"#;

/// Runs commands in a folder. Returns their output.
fn run(service: &Service, folder: &Path, token: &str, commands: &str) -> Result<String, String> {
    let program = env!("CARGO_BIN_EXE_reelshelf");
    let commands = commands
        .replace("http://localhost:8080", &service.base)
        .replace(" localhost:8080", &format!(" {}", service.base))
        .replace("'localhost:8080", &format!("'{}", service.base))
        .replace("target/quick/reelshelf", program)
        .replace("rsh_…", token);
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &commands]).current_dir(folder).stdin(Stdio::null());
    shell.env("REELSHELF_DATABASE", &service.database.address);
    let done = shell.output().expect("a shell");
    let [out, err] = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    if done.status.success() { Ok(out) } else { Err(format!("{commands}\n{out}\n{err}")) }
}

/// Starts a service with an owner `olivia`, 50 films and as many changes, and film 7 at version 3. Returns a
/// token, too.
async fn prepared(kind: Kind) -> (Service, String) {
    let mut service =
        Service::empty(TestDatabase::new(kind).await, reelshelf::http::Settings::default()).await;
    let token = service.add_user("olivia", Role::Owner).await;
    service.owner.clone_from(&token);
    for number in 1..=50 {
        let title = if number == 1 { "The Matrix".to_owned() } else { format!("Film {number}") };
        service.add(&title, "DVD", 90, 1999, 4).await;
    }
    for rating in [1, 2] {
        service.patch("/movie/7", &json!({"rating": rating})).await;
    }
    (service, token)
}

/// Runs each example of a document that uses the service, on a separate service.
async fn examples_run(kind: Kind, document: &str, expected: usize) {
    let text = read(document);
    let all = shell_blocks(&text);
    let (definitions, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|block| block.contains("rs() {"));
    let [definition] = &definitions[..] else { panic!("the definition of rs") };
    let asks = |block: &&String| block.contains("$RS") && !block.contains("newman");
    let mut number = 0;
    for block in rest.iter().filter(asks) {
        let (service, token) = prepared(kind).await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = "title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,5\n";
        fs::write(folder.path().join("films.csv"), file).expect("a file");
        let commands = format!("{BEFORE}{definition}{block}");
        if let Err(error) = run(&service, folder.path(), &token, &commands) {
            panic!("{document}: {error}");
        }
        number += 1;
    }
    assert_eq!(number, expected, "the examples are found");
    let (service, token) = prepared(kind).await;
    let wrong = format!("{BEFORE}{definition}rs $RS/nothing");
    assert!(run(&service, Path::new("/"), &token, &wrong).is_err(), "what is refused is found");
}

on_both! {
    async fn the_examples_of_the_readme_run(database: TestDatabase) {
        examples_run(database.kind, "README.md", 5).await;
    }
}

on_both! {
    async fn the_examples_of_the_guide_to_the_api_run(database: TestDatabase) {
        examples_run(database.kind, "docs/api.md", 11).await;
    }
}

/// Returns the commands of a console block with their output.
fn dialogue(block: &str) -> Vec<(String, String)> {
    let mut dialogue: Vec<(String, String)> = Vec::new();
    let mut goes_on = false;
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            dialogue.push((format!("{command}\n"), String::new()));
        } else if let Some((command, printed)) = dialogue.last_mut() {
            if goes_on {
                *command += line;
                *command += "
";
            } else {
                *printed += line;
            }
        }
        goes_on = line.ends_with('\\');
    }
    dialogue
}

on_both! {
    async fn the_dialogue_of_the_readme_is_what_the_service_answers(database: TestDatabase) {
        let text = read("README.md");
        let blocks = blocks(&text);
        let block = blocks.iter().find(|block| block.language == "console").expect("a dialogue");
        let (_, time) = block.text.split_once("\"createdAt\":\"").expect("a time");
        let time = Time::parse(time.split('"').next().expect("its end")).expect("a time");
        let service = Service::empty(database, reelshelf::http::Settings::default()).await;
        let token = service.add_user("olivia", Role::Owner).await;
        service.pass_millis(time.as_millis() - START);
        let dialogue = dialogue(&block.text);
        assert_eq!(dialogue.len(), 3);
        for (command, printed) in dialogue {
            let command = command.replace("curl ", "curl -sS ");
            let answer = run(&service, Path::new("/"), &token, &command).expect("an answer");
            assert_eq!(answer.replace('\n', ""), printed, "{command}");
        }
    }
}

/// Files of other services that the examples import: section, name, file, layout.
const FILES: [(&str, &str, &str, &str); 6] = [
    ("Letterboxd", "ratings.csv", "letterboxd_ratings.csv", "letterboxd"),
    ("IMDb", "ratings.csv", "imdb_ratings.csv", "imdb"),
    ("MovieLens", "movies.csv", "movielens_movies.csv", "movielens"),
    ("Tellico", "films.csv", "tellico.csv", "tellico"),
    ("CLZ Movies", "movies.csv", "clz.csv", "clz"),
    ("Libib", "library.csv", "libib.csv", "libib"),
];

on_both! {
    async fn the_examples_of_the_chapter_on_imports_run(service: &Service) {
        let text = read("docs/importing.md");
        let definition = shell_blocks(&text).into_iter().find(|block| block.contains("import() {")).expect("it");
        let folder = tempfile::tempdir().expect("a folder");
        let mut number = 0;
        for section in text.split("\n## ").skip(1) {
            let heading = section.lines().next().expect("a heading");
            let blocks = shell_blocks(section).into_iter().filter(|block| block.starts_with("import "));
            for block in blocks {
                let layout = if let Some((_, name, file, layout)) = FILES.iter().find(|(of, ..)| *of == heading) {
                    let file = root().join("tests/it/exchange/files").join(file);
                    fs::copy(file, folder.path().join(name)).expect("a copy");
                    layout
                } else {
                    fs::write(folder.path().join("filme.csv"), "Film;Jahr;Medium\nStalker;1979;DVD\n").expect("a file");
                    "reelshelf"
                };
                // The files have rows that are rejected.
                let skip = if block.contains("onError=") { "" } else { "&onError=skip" };
                let definition = definition.replace("$2\"", &format!("$2{skip}\""));
                let commands = format!("{BEFORE}{definition}{block}");
                let report = run(service, folder.path(), &service.editor, &commands).expect("a report");
                let report: Value = serde_json::from_str(&report).expect("a report");
                assert_eq!(report["source"], *layout, "{heading}: {report}");
                assert!(report["read"].as_u64() > report["failed"].as_u64(), "{heading}: {report}");
                number += 1;
            }
        }
        assert_eq!(number, FILES.len() + 1, "the examples are found");
    }
}

/// A file for each reason in the table of the page, and further options that it needs.
const REJECTED: [(&[u8], &[&str]); 4] = [
    (b"title,length,releaseYear,rating\nHeat,170,1995,5\n", &[]),
    (b"title,movieFormat,length,releaseYear,rating\nHeat,Blu-ray,170,1995,5\n", &[]),
    (b"Film;Jahr\nStalker;1979\n", &["--default=format:DVD", "--default=length:0", "--default=rating:3"]),
    (b"title,movieFormat,length,releaseYear,rating\nCaf\xe9,DVD,90,1995,5\n", &[]),
];

on_both! {
    async fn a_rejected_file_is_imported_with_the_options_that_the_page_names(service: &Service) {
        let page = read("docs/troubleshooting.md");
        let rows = table(section(&page, "## An import rejects my file"), &["reason", "what to do"]);
        assert_eq!(rows.len(), REJECTED.len());
        let environment = [("REELSHELF_SERVER", service.base.as_str()), ("REELSHELF_TOKEN", service.editor.as_str())];
        for (row, (file, further)) in rows.iter().zip(REJECTED) {
            let [reason, options] = [&code(&row[0])[0], &code(&row[1])[0]];
            let import = |options: &[&str]| {
                run_with_input(&[&["import", "-"][..], further, options].concat(), &environment, file)
            };
            let done = import(&[]);
            assert!(done.status == 1 && (done.out.contains(reason) || done.err.contains(reason)), "{reason}: {done:?}");
            import(&options.split(' ').collect::<Vec<_>>()).expect(0);
        }
    }
}
