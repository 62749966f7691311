//! `reelshelf backup`, and automatic backups of `serve`.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use super::{add_user, token};
use crate::{
    on_both,
    support::{
        Answer, Kind, TestDatabase, movie,
        program::{Done, Program, poll, run, run_limited},
        until,
    },
};

#[track_caller]
pub fn back_up(database: &TestDatabase, file: &Path) -> Done {
    run(database, &["backup", file.to_str().expect("text")], "")
}

#[track_caller]
pub fn restore(database: &TestDatabase, file: &Path) -> Done {
    run(database, &["restore", file.to_str().expect("text")], "")
}

/// Returns the sorted file names of a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// Returns the films of a running service.
async fn films(server: &Program, token: &str) -> Vec<Value> {
    let answer = Answer::of(server.request(Method::GET, "/movie").bearer_auth(token)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json().as_array().expect("a list").clone()
}

on_both! {
    async fn a_backup_beside_writers_is_of_one_moment(database: TestDatabase) {
        const WRITERS: i64 = 4;
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let server = Program::start(&database);
        // Each batch creates a film and increments a counter in the length of the writer's first film.
        let (stop, mut writers) = (Arc::new(AtomicBool::new(false)), tokio::task::JoinSet::new());
        for writer in 1..=WRITERS {
            let first = movie(&format!("Counter {writer}"), "DVD", 0, 2000, 3);
            let made = Answer::of(server.request(Method::POST, "/movie").bearer_auth(&token).json(&first)).await;
            let id = made.json()["id"].clone();
            let (http, url) = (server.client.clone(), format!("{}/movie/batch", server.base));
            let (token, stop) = (token.clone(), stop.clone());
            writers.spawn(async move {
                for n in 1..=500 {
                    if stop.load(Relaxed) {
                        return;
                    }
                    let film = movie(&format!("Film {writer}"), "DVD", n, 2000, 3);
                    let batch = json!({"operations": [{"op": "create", "movie": film},
                        {"op": "update", "id": id, "changes": {"length": n}}]});
                    let answer = Answer::of(http.post(&url).bearer_auth(&token).json(&batch)).await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                }
            });
        }
        let folder = tempfile::tempdir().unwrap();
        let backups: Vec<PathBuf> = (0..5).map(|n| folder.path().join(format!("{n}.backup"))).collect();
        for file in &backups {
            back_up(&database, file).expect(0);
        }
        stop.store(true, Relaxed);
        writers.join_all().await;
        assert_eq!(names(folder.path()).len(), backups.len());

        let mut before = 0;
        for file in &backups {
            let restored = TestDatabase::new(database.kind).await;
            restore(&restored, file).expect(0);
            let server = Program::start(&restored);
            let films = films(&server, &token).await;
            assert!(films.len() >= before, "later backups hold what earlier ones do");
            before = films.len();
            for writer in 1..=WRITERS {
                let titled = |title: String| films.iter().filter(move |film| film["title"] == title);
                let counter = titled(format!("Counter {writer}")).next().expect("the counter");
                let added = titled(format!("Film {writer}")).count();
                assert_eq!(counter["length"], added, "{counter}");
                assert_eq!(counter["version"], added + 1, "{counter}");
            }
            let history = server.request(Method::GET, "/history?limit=1&total=true").bearer_auth(&token);
            assert_eq!(Answer::of(history).await.header("x-total-count"), films.len().to_string());
        }
    }
}

on_both! {
    async fn a_backup_is_private_and_says_what_it_holds(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("films.backup");
        let done = back_up(&database, &file).expect(0);
        assert_eq!(done.out, "");
        let words = format!("Backed up 0 films, 0 changes and 1 user to {}", file.display());
        assert!(done.err.contains(&words), "{}", done.err);
        assert_eq!((names(folder.path()), mode(&file)), (vec!["films.backup".to_owned()], 0o600));
    }
}

on_both! {
    async fn a_file_that_is_there_is_overwritten_with_force_alone(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("films.backup");
        fs::write(&file, "something else").unwrap();
        run(&database, &["migrate"], "").expect(0);
        back_up(&database, &file).refused("--force");
        assert_eq!(fs::read_to_string(&file).unwrap(), "something else");
        run(&database, &["backup", "--force", file.to_str().unwrap()], "").expect(0);
        assert_eq!((names(folder.path()), mode(&file)), (vec!["films.backup".to_owned()], 0o600));
        restore(&database, &file).expect(0);
    }
}

on_both! {
    async fn where_no_file_can_be_made_the_reason_is_given_and_nothing_left(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        run(&database, &["migrate"], "").expect(0);
        for (path, words) in [
            ("no/such/films.backup", "No such file or directory"),
            ("file/films.backup", "Not a directory"),
            ("", "is a directory"),
        ] {
            let path = folder.path().join(path);
            run(&database, &["backup", "--force", path.to_str().unwrap()], "").refused(words);
        }
        run(&database, &["backup", "-"], "").refused("not standard output");
        assert_eq!(names(folder.path()), ["file"]);
        run(&database, &["backup"], "").expect(2);
    }
}

on_both! {
    async fn the_service_makes_backups_by_itself_and_keeps_the_newest(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/backups");
        let others = ["reelshelf-20200101T000000Z.backup.old", "replaced-20200101T000000.000Z.backup", "x"];
        let old = ["reelshelf-20200101T000000Z.backup", "reelshelf-20200102T000000Z.backup"];
        let options =
            ["--backup-dir", folder.to_str().unwrap(), "--backup-every", "1s", "--backup-keep", "2"];
        let server = Program::start_with(&database, &options, &[]);
        let first = poll("a first backup", || {
            names(&folder).into_iter().find(|name| name.starts_with("reelshelf-"))
        });
        assert_eq!((mode(&folder), mode(&folder.join(&first))), (0o700, 0o600));
        for name in others.iter().chain(&old) {
            fs::write(folder.join(name), "").unwrap();
        }
        poll("newer ones alone", || {
            let left = names(&folder);
            (!left.contains(&first) && !old.iter().any(|old| left.contains(&(*old).to_owned()))).then_some(())
        });
        assert!(server.log().contains("made a backup"), "{}", server.log());
        server.end().expect(0);
        let mut left = names(&folder);
        assert!(others.iter().all(|other| left.contains(&(*other).to_owned())), "{left:?}");
        left.retain(|name| !others.contains(&name.as_str()));
        assert!(left.len() <= 3 && left.iter().all(|name| name.ends_with("Z.backup")), "{left:?}");
        let restored = TestDatabase::new(database.kind).await;
        restore(&restored, &folder.join(left.last().unwrap())).expect(0);
        assert_eq!(run(&restored, &["user", "list"], "").expect(0).out.lines().count(), 1);
    }
}

on_both! {
    async fn restarts_make_no_backups_too_many_and_none_too_few(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("reelshelf-20200101T000000Z.backup"), "").unwrap();
        fs::write(folder.path().join("reelshelf-22000101T000000Z.backup"), "").unwrap(); // a wrong clock
        let environment = [
            ("REELSHELF_BACKUP_DIR", folder.path().to_str().unwrap()),
            ("REELSHELF_BACKUP_EVERY", "7d"),
            ("REELSHELF_BACKUP_KEEP", "9"),
        ];
        let server = Program::start_with(&database, &[], &environment);
        poll("one that was due", || (names(folder.path()).len() == 3).then_some(()));
        server.await_log("made a backup");
        server.end().expect(0);
        for _ in 0..3 {
            let again = Program::start_with(&database, &[], &environment);
            again.await_log("create the first owner");
            let log = again.end().expect(0).err; // which warns of the one of the future
            assert!(!log.contains("made a backup") && !log.contains("backup failed"), "{log}");
        }
        assert_eq!(names(folder.path()).len(), 3);
    }
}

on_both! {
    async fn a_backup_that_fails_is_logged_and_tried_again_while_the_service_goes_on(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let folder = tempfile::tempdir().unwrap();
        let backups = folder.path().join("backups");
        let options = ["--backup-dir", backups.to_str().unwrap(), "--backup-every", "1s"];
        let server = Program::start_with(&database, &options, &[]);
        server.await_log("made a backup");
        block(&backups);
        let line = server.await_log("the backup failed");
        assert!(line.contains("ERROR") && line.contains("/backups cannot be used"), "{line}");
        assert_eq!(films(&server, &token).await, [Value::Null; 0]);
        fs::remove_file(&backups).unwrap();
        server.await_log("made a backup");
    }
}

/// Puts a file in the place of a folder.
fn block(folder: &Path) {
    fs::rename(folder, folder.with_extension("old")).unwrap();
    fs::write(folder, "").unwrap();
}

on_both! {
    async fn without_a_folder_for_backups_the_service_does_not_start(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.join("backups"), file] {
            let words = format!("the folder for backups, {} (--backup-dir), cannot be written", path.display());
            run(&database, &["serve", "--backup-dir", path.to_str().unwrap()], "").refused(&words);
        }
    }
}

/// Starts a service with automatic backups. Returns its metrics URL.
fn start_watched(database: &TestDatabase, folder: &Path, every: &str) -> (Program, String) {
    let folder = folder.to_str().unwrap();
    let options = ["--backup-dir", folder, "--backup-every", every, "--metrics-listen", "127.0.0.1:0"];
    let server = Program::start_with(database, &options, &[]);
    let line = server.await_log("metrics address=");
    let metrics = format!("http://{}/metrics", line.split_once("address=").expect("an address").1);
    (server, metrics)
}

/// Returns the value of a metric without labels.
async fn metric(server: &Program, metrics: &str, name: &str) -> Option<f64> {
    let text = Answer::of(server.client.get(metrics)).await.text;
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

on_both! {
    async fn how_old_the_newest_backup_is_and_how_many_failed_can_be_watched(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let backups = folder.path().join("backups");
        let (server, metrics) = start_watched(&database, &backups, "1h");
        server.await_log("made a backup");
        let age = metric(&server, &metrics, "reelshelf_backup_age_seconds ").await;
        assert!(age.is_some_and(|age| (0.0..3600.0).contains(&age)), "{age:?}");
        assert_eq!(metric(&server, &metrics, "reelshelf_backup_failures_total ").await, Some(0.0));
        let ready = Answer::of(server.request(Method::GET, "/health/ready")).await.json();
        assert_eq!((&ready["status"], &ready["backup"]), (&json!("ready"), &json!("current")));
        assert!(ready["backupAgeSeconds"].as_u64().is_some_and(|age| age < 3600), "{ready}");
        server.end().expect(0);

        let (server, metrics) = start_watched(&database, &backups, "1s");
        server.await_log("made a backup");
        block(&backups);
        server.await_log("the backup failed");
        let failures = metric(&server, &metrics, "reelshelf_backup_failures_total ").await;
        assert!(failures.is_some_and(|failures| failures >= 1.0), "{failures:?}");
        let ready = async || {
            let answer = Answer::of(server.request(Method::GET, "/health/ready")).await;
            assert_eq!(answer.status, 200);
            answer.json()
        };
        until(async || ready().await["backup"] == "late").await;
        fs::remove_file(&backups).unwrap();
        until(async || ready().await["backup"] == "current").await;
        server.end().expect(0);
    }
}

on_both! {
    async fn backups_of_a_wrong_clock_neither_count_nor_push_out_others(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let future = ["reelshelf-29990101T000000Z.backup", "reelshelf-29990102T000000Z.backup"];
        let past = ["reelshelf-20200101T000000Z.backup", "reelshelf-20200102T000000Z.backup"];
        for name in future.iter().chain(&past) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let options = ["--backup-dir", folder.path().to_str().unwrap(), "--backup-keep", "2"];
        let server = Program::start_with(&database, &options, &[]);
        let warned = server.await_log("ignoring backups with a future time");
        assert!(warned.contains("WARN") && future.iter().all(|name| warned.contains(name)), "{warned}");
        server.await_log("made a backup");
        poll("what is too many is gone", || (names(folder.path()).len() == 4).then_some(()));
        let done = server.end().expect(0);
        assert_eq!(done.err.matches("ignoring backups with a future time").count(), 1, "{done:?}");
        let left = names(folder.path());
        assert!(future.iter().all(|name| left.contains(&(*name).to_owned())), "{left:?}");
        assert!(left.contains(&past[1].to_owned()) && !left.contains(&past[0].to_owned()), "{left:?}");
    }
}

/// A file of so many films that can hardly be compressed.
fn random_films(count: usize) -> String {
    let title = || {
        format!("{:016x}{:016x}{:016x}", rand::random::<u64>(), rand::random::<u64>(), rand::random::<u64>())
    };
    let rows = (0..count).map(|_| format!("{},DVD,90,2000,3\n", title()));
    std::iter::once("title,movieFormat,length,releaseYear,rating\n".to_owned()).chain(rows).collect()
}

on_both! {
    async fn a_full_disk_costs_the_new_backup_and_no_other(database: TestDatabase) {
        const UNITS: u32 = 256; // 128 KiB
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let server = Program::start(&database);
        let import = server.request(Method::POST, "/movie?onDuplicate=add").bearer_auth(&token);
        let import = Answer::of(import.header("content-type", "text/csv").body(random_films(8000))).await;
        assert_eq!(import.status, 200, "{import:?}");
        server.end().expect(0);

        let folder = tempfile::tempdir().unwrap();
        let old = "reelshelf-20200101T000000Z.backup";
        fs::write(folder.path().join(old), "an old one").unwrap();
        let file = folder.path().join("by hand.backup");
        run_limited(&database, UNITS, &["backup", file.to_str().unwrap()]).refused("File too large");
        let options = ["--backup-dir", folder.path().to_str().unwrap(), "--backup-keep", "1"];
        let server = Program::start_limited(&database, UNITS, &options, &[]);
        let line = server.await_log("the backup failed");
        assert!(line.contains("File too large"), "{line}");
        server.end().expect(0);
        assert_eq!(names(folder.path()), [old]);
        assert_eq!(fs::read_to_string(folder.path().join(old)).unwrap(), "an old one");
    }
}

on_both! {
    async fn a_backup_goes_to_the_end_of_links_and_never_in_the_place_of_a_device(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        run(&database, &["migrate"], "").expect(0);
        std::os::unix::fs::symlink("target", path("link")).unwrap();
        back_up(&database, &path("link")).expect(0); // which led nowhere
        assert_eq!(mode(&path("target")), 0o600);
        fs::write(path("target"), "before").unwrap();
        fs::set_permissions(path("target"), fs::Permissions::from_mode(0o644)).unwrap();
        back_up(&database, &path("link")).refused("--force");
        run(&database, &["backup", "--force", path("link").to_str().unwrap()], "").expect(0);
        assert!(path("link").symlink_metadata().unwrap().is_symlink());
        assert_eq!(mode(&path("target")), 0o600, "others could read the one before");
        let restored = TestDatabase::new(database.kind).await;
        restore(&restored, &path("link")).expect(0);

        let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(made.success());
        std::os::unix::fs::symlink("/dev/full", path("device")).unwrap();
        for name in ["pipe", "device"] {
            run(&database, &["backup", "--force", path(name).to_str().unwrap()], "").refused("no plain file");
        }
        assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device());
        assert_eq!(names(folder.path()), ["device", "link", "pipe", "target"]);
    }
}

on_both! {
    async fn what_a_killed_program_left_is_removed_but_nothing_that_is_being_written(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        run(&database, &["migrate"], "").expect(0);
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(120);
        let make = |name: &str, is_old: bool| {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            if is_old {
                file.set_modified(long_ago).unwrap();
            }
            file
        };
        make(".reelshelf-killed.tmp", true);
        make(".reelshelf-young.tmp", false);
        make("reelshelf-other.tmp", true);
        make(".reelshelf-other", true);
        let written = make(".reelshelf-written.tmp", true);
        written.try_lock().unwrap();
        fs::create_dir(folder.path().join(".reelshelf-folder.tmp")).unwrap();
        let kept = [
            ".reelshelf-folder.tmp",
            ".reelshelf-other",
            ".reelshelf-written.tmp",
            ".reelshelf-young.tmp",
            "films.backup",
            "reelshelf-other.tmp",
        ];
        back_up(&database, &folder.path().join("films.backup")).expect(0);
        assert_eq!(names(folder.path()), kept);
        drop(written);
        run(&database, &["backup", "--force", folder.path().join("films.backup").to_str().unwrap()], "").expect(0);
        assert!(!names(folder.path()).contains(&".reelshelf-written.tmp".to_owned()));
    }
}

on_both! {
    async fn whenever_the_service_ends_it_leaves_no_half_backup(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..5 {
            let options = ["--backup-dir", folder.path().to_str().unwrap(), "--backup-every", "1s"];
            Program::start_with(&database, &options, &[]).end().expect(0);
            let names = names(folder.path());
            assert!(names.iter().all(|name| name.starts_with("reelshelf-")), "{names:?}");
        }
        if database.kind == Kind::Sqlite {
            assert_eq!(names(database.folder()), ["films.db"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_under_way_ends_with_the_service() {
    let database = TestDatabase::new(Kind::Postgres).await;
    add_user(&database, "olivia", "owner");
    let (other, connection) = tokio_postgres::connect(&database.address, NoTls).await.unwrap();
    tokio::spawn(connection);
    other.batch_execute("BEGIN; LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = ["--backup-dir", folder.path().to_str().unwrap()];
    let server = Program::start_with(&database, &options, &[]);
    poll("a backup under way", || {
        names(folder.path()).iter().any(|name| name.starts_with(".reelshelf-")).then_some(())
    });
    let done = server.end().expect(0);
    assert_eq!(names(folder.path()), [""; 0], "{done:?}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_not_backed_up_and_not_made() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    back_up(&database, &database.folder().join("films.backup")).refused("there is no database");
    assert_eq!(names(database.folder()), [""; 0]);
}

#[tokio::test]
async fn what_is_no_schedule_is_refused() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    for (option, value) in [
        ("--backup-every", "0s"),
        ("--backup-every", "999ms"),
        ("--backup-every", "367d"),
        ("--backup-every", "1 month"),
        ("--backup-every", "-1d"),
        ("--backup-every", "24"),
        ("--backup-every", ""),
        ("--backup-keep", "0"),
        ("--backup-keep", "-1"),
        ("--backup-keep", "all"),
    ] {
        let given = format!("{option}={value}");
        let done = run(&database, &["serve", "--backup-dir", "backups", &given], "").expect(2);
        assert!(done.err.contains(option), "{done:?}");
        assert!(option != "--backup-keep" || done.err.contains("must be a whole number from 1"), "{done:?}");
    }
    let done = run(&database, &["serve", "--backup-every", "1h"], "").expect(2);
    assert!(done.err.contains("--backup-dir"), "{done:?}");
}
