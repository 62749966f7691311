//! Disks that fail, as the program sees them: a library before the system's lets reads of one file fail.

use std::{fs, os::unix::fs::FileExt, path::Path, process::Command};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;

use super::{add_user, token};
use crate::support::{Answer, Kind, TestDatabase, films::csv, program::Program};

/// Lets `read` and `pread` of `FAULTY_FILE` fail with EIO as long as there is a file `FAULTY_WHILE`.
const FAULTY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_faulty(int fd) {
    const char *when = getenv("FAULTY_WHILE"), *file = getenv("FAULTY_FILE");
    char link[64], path[4096];
    if (!when || !file || access(when, F_OK)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return !strcmp(path, file);
}

#define FAIL(fd) if (is_faulty(fd)) { errno = EIO; return -1; }

ssize_t read(int fd, void *to, size_t count) {
    FAIL(fd)
    return ((ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read"))(fd, to, count);
}

ssize_t pread(int fd, void *to, size_t count, off_t at) {
    FAIL(fd)
    return ((ssize_t (*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread"))(fd, to, count, at);
}

ssize_t pread64(int fd, void *to, size_t count, off64_t at) {
    FAIL(fd)
    return ((ssize_t (*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64"))(fd, to, count, at);
}
"#;

fn library(folder: &Path) -> String {
    let (source, library) = (folder.join("faulty.c"), folder.join("faulty.so"));
    fs::write(&source, FAULTY).unwrap();
    let status =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").status();
    let status = status.expect("a C compiler, which building takes, too");
    assert!(status.success());
    library.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_cannot_be_read_is_answered_503_and_a_damaged_file_500() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    add_user(&database, "olivia", "owner");
    let token = token(&database, "olivia");
    let server = Program::start(&database);
    let import = server.request(Method::POST, "/movie").bearer_auth(&token);
    let import = Answer::of(import.header("content-type", "text/csv").body(csv(5000))).await;
    assert_eq!(import.status, 200, "{import:?}");
    server.end().expect(0); // which leaves all in one file

    let folder = tempfile::tempdir().unwrap();
    let (library, faulty) = (library(folder.path()), folder.path().join("faulty"));
    let file = database.file().canonicalize().unwrap();
    let environment = [
        ("LD_PRELOAD", library.as_str()),
        ("FAULTY_WHILE", faulty.to_str().unwrap()),
        ("FAULTY_FILE", file.to_str().unwrap()),
    ];
    let server = Program::start_with(&database, &[], &environment);
    let get = async |path: &str| Answer::of(server.request(Method::GET, path).bearer_auth(&token)).await;
    assert_eq!(get("/movie/1").await.status, 200);
    fs::write(&faulty, "").unwrap();
    // By an index of which nothing was read yet.
    for path in ["/history/1?limit=1000", "/history/1?limit=500", "/history/1"] {
        let answer = get(path).await;
        answer.problem(503);
        assert_ne!(answer.header("retry-after"), "", "{path}: {answer:?}");
    }
    fs::remove_file(&faulty).unwrap();
    assert_eq!(get("/history/1?limit=1000").await.status, 200, "it goes on by itself");
    server.end().expect(0);

    // The same pages, but what is in them is no part of a database any more.
    let server = Program::start(&database);
    let schema = 256 * 1024; // with the roots of all tables, so that connections can still be opened
    let rest = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap() - schema;
    let opened = fs::OpenOptions::new().write(true).open(&file).unwrap();
    opened.write_all_at(&vec![0xa5; rest], schema as u64).unwrap();
    let end_of_index = format!("/history/1?cursor={}", URL_SAFE_NO_PAD.encode("after 4500"));
    let answer = server.request(Method::GET, &end_of_index).bearer_auth(&token);
    Answer::of(answer).await.problem(500);
    assert!(server.log().contains("malformed"), "{}", server.log());
}
