//! The temporary folder, which holds the files of running imports.

use std::{fs, path::Path};

use reqwest::Method;

use super::{add_user, token};
use crate::{
    on_both,
    support::{
        Answer, films,
        program::{Program, run_with},
    },
};

async fn import(server: &Program, token: &str, file: String) -> Answer {
    let request = server.request(Method::POST, "/movie").bearer_auth(token);
    Answer::of(request.header("content-type", "text/csv").body(file)).await
}

/// Checks that an import was rejected with `Retry-After`.
#[track_caller]
fn assert_no_room(answer: &Answer) {
    let problem = answer.problem(503);
    assert!(problem["detail"].as_str().is_some_and(|why| why.contains("no space")), "{problem}");
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0), "{answer:?}");
}

/// Returns the number of open files of a program in a folder.
fn open_in(server: &Program, folder: &Path) -> usize {
    let open = fs::read_dir(format!("/proc/{}/fd", server.id())).expect("a process").flatten();
    open.filter(|file| fs::read_link(file.path()).is_ok_and(|target| target.starts_with(folder))).count()
}

on_both! {
    async fn without_a_folder_for_temporary_files_the_service_does_not_start(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let (missing, file) = (folder.path().join("missing"), folder.path().join("file"));
        fs::write(&file, "").unwrap();
        for path in [missing, file] {
            let path = path.to_str().unwrap();
            let environment = [("REELSHELF_DATABASE", database.address.as_str()), ("TMPDIR", path)];
            let words = format!("the folder for temporary files, {path} (TMPDIR), cannot be written");
            run_with(&["serve", "--listen", "127.0.0.1:0"], &environment).refused(&words);
        }
    }
}

on_both! {
    async fn while_there_is_no_room_for_a_file_an_import_is_refused_for_a_while(database: TestDatabase) {
        const UNITS: u32 = 2048; // 1 MiB
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let folder = tempfile::tempdir().unwrap();
        let temporary = folder.path().join("temporary");
        fs::create_dir(&temporary).unwrap();
        let environment = [("TMPDIR", temporary.to_str().unwrap())];
        let server = Program::start_limited(&database, UNITS, &[], &environment);
        let header = "title,movieFormat,length,releaseYear,rating,notes\n";
        let large = |bytes| format!("{header}Heat,DVD,170,1995,5,{}\n", "x".repeat(bytes));
        let row = format!("Heat,DVD,170,1995,5,{}\n", "x".repeat(1000));
        assert_no_room(&import(&server, &token, format!("{header}{}", row.repeat(1100))).await);
        assert_eq!(import(&server, &token, large(900_000)).await.status, 200);
        server.await_log("a file could not be spooled");

        fs::remove_dir(&temporary).unwrap();
        assert_no_room(&import(&server, &token, films::csv(10)).await);
        fs::create_dir(&temporary).unwrap();
        assert_eq!(import(&server, &token, films::csv(10)).await.status, 200);
        assert_eq!(open_in(&server, &temporary), 0, "nothing is left");
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
        let films = Answer::of(server.request(Method::GET, "/movie").bearer_auth(&token)).await.json();
        assert_eq!(films.as_array().map(Vec::len), Some(11), "{films}");
        server.end().expect(0);
    }
}
