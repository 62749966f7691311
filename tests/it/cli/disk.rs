//! Failing and hanging disks: a preloaded library makes reads of a file fail, and reads or fsyncs hang.

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use reqwest::{Method, RequestBuilder};

use super::{add_user, token};
use crate::support::{Answer, Kind, TestDatabase, films::csv, movie, program::Program, until};

/// Makes `read` and `pread` of `FAULTY_FILE` fail with EIO while the file `FAULTY_WHILE` exists. Makes
/// `pread` or `fsync` of it and of the files beside it hang while `FAULTY_WHILE-read` or `FAULTY_WHILE-sync`
/// exists, and appends a byte to that file for each.
const FAULTY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_of(int fd, int beside) {
    const char *file = getenv("FAULTY_FILE");
    char link[64], path[4096];
    if (!file) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (beside && length > 4 && !strcmp(path + length - 4, "-shm")) return 0; /* memory that processes share */
    return beside ? !strncmp(path, file, strlen(file)) : !strcmp(path, file);
}

static int is_faulty(int fd) {
    const char *when = getenv("FAULTY_WHILE");
    return when && !access(when, F_OK) && is_of(fd, 0);
}

static void hang(int fd, const char *what) {
    const char *when = getenv("FAULTY_WHILE");
    char path[4096];
    if (!when || !is_of(fd, 1)) return;
    snprintf(path, sizeof path, "%s-%s", when, what);
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0) return;
    if (write(file, ".", 1) != 1) abort();
    close(file);
    while (!access(path, F_OK)) usleep(10000);
}

#define FAIL(fd) if (is_faulty(fd)) { errno = EIO; return -1; }

ssize_t read(int fd, void *to, size_t count) {
    FAIL(fd)
    return ((ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read"))(fd, to, count);
}

ssize_t pread(int fd, void *to, size_t count, off_t at) {
    FAIL(fd)
    hang(fd, "read");
    return ((ssize_t (*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread"))(fd, to, count, at);
}

ssize_t pread64(int fd, void *to, size_t count, off64_t at) {
    FAIL(fd)
    hang(fd, "read");
    return ((ssize_t (*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64"))(fd, to, count, at);
}

int fsync(int fd) {
    hang(fd, "sync");
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
    hang(fd, "sync");
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
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
    // By an index that was not read yet.
    for path in ["/history/1?limit=1000", "/history/1?limit=500", "/history/1"] {
        let answer = get(path).await;
        answer.problem(503);
        assert_ne!(answer.header("retry-after"), "", "{path}: {answer:?}");
    }
    fs::remove_file(&faulty).unwrap();
    assert_eq!(get("/history/1?limit=1000").await.status, 200, "it goes on by itself");
    server.end().expect(0);

    // The same pages, with invalid content.
    let server = Program::start(&database);
    let schema = 256 * 1024; // with the roots of all tables, so that connections can still be opened
    let rest = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap() - schema;
    let opened = fs::OpenOptions::new().write(true).open(&file).unwrap();
    opened.write_all_at(&vec![0xa5; rest], schema as u64).unwrap();
    let end_of_index =
        format!("/history/1?cursor={}", URL_SAFE_NO_PAD.encode("effects of change 1 after 4500"));
    let answer = server.request(Method::GET, &end_of_index).bearer_auth(&token);
    Answer::of(answer).await.problem(500);
    server.await_log("malformed"); // which another thread writes
}

/// A running service with one film, whose disk can hang.
struct Hanging {
    server: Program,
    database: TestDatabase,
    token: String,
    folder: tempfile::TempDir,
}

impl Hanging {
    async fn start() -> Self {
        let database = TestDatabase::new(Kind::Sqlite).await;
        add_user(&database, "olivia", "owner");
        let token = token(&database, "olivia");
        let folder = tempfile::tempdir().unwrap();
        let file = database.file().canonicalize().unwrap();
        let environment = [
            ("LD_PRELOAD", library(folder.path())),
            ("FAULTY_WHILE", folder.path().join("hangs").to_str().unwrap().to_owned()),
            ("FAULTY_FILE", file.to_str().unwrap().to_owned()),
        ];
        let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
        let server = Program::start_with(&database, &[], &environment);
        let hanging = Self { server, database, token, folder };
        assert_eq!(hanging.add("Heat").await.status, 201);
        hanging
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.server.request(method, path).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    async fn add(&self, title: &str) -> Answer {
        Answer::of(self.request(Method::POST, "/movie").json(&movie(title, "DVD", 170, 1995, 5))).await
    }

    /// Makes calls hang until the file is removed.
    fn hang(&self, what: &str) -> PathBuf {
        let hangs = self.folder.path().join(format!("hangs-{what}"));
        fs::write(&hangs, "").unwrap();
        hangs
    }
}

/// Returns the number of hanging calls.
fn hung(hangs: &Path) -> u64 {
    fs::metadata(hangs).unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_an_fsync_hangs_reads_are_answered_and_writes_end_with_503() {
    let hanging = Hanging::start().await;
    let hangs = hanging.hang("sync");
    let titles: Vec<_> = (1..=40).map(|n| format!("Late {n}")).collect();
    let writes = join_all(titles.iter().map(|title| hanging.add(title)));
    let reads = async {
        until(async || hung(&hangs) > 0).await;
        for path in ["/movie", "/movie/1", "/stats", "/history", "/me", "/movie?q=heat", "/user"].repeat(10) {
            let answer = hanging.get(path).await;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            assert!(!answer.text.contains("Late"), "not on disk yet: {answer:?}");
        }
        assert_eq!(hanging.get("/health/ready").await.status, 200, "it may be a moment");
        assert_eq!(hung(&hangs), 1, "all of it while one fsync hung");
    };
    let (writes, ()) = tokio::join!(writes, reads);
    for write in writes {
        write.problem(503);
        assert_ne!(write.header("retry-after"), "", "{write:?}");
    }
    fs::remove_file(&hangs).unwrap();
    until(async || hanging.add("After").await.status == 201).await;
    assert_eq!(hanging.get("/movie/1").await.status, 200);
    hanging.server.end().expect(0);
    let twice = "SELECT title FROM movies WHERE title LIKE 'Late%' GROUP BY title HAVING count(*) > 1";
    assert_eq!(hanging.database.texts(twice).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_reads_of_the_disk_hang_one_request_more_hangs_than_there_are_processors() {
    let hanging = Hanging::start().await;
    assert_eq!(hanging.add("Alien").await.status, 201); // after which readers look at the disk
    let hangs = hanging.hang("read");
    let most = std::thread::available_parallelism().unwrap().get() + 1;
    let mut reads: FuturesUnordered<_> = (0..30 + most).map(|_| hanging.get("/history/1")).collect();
    for _ in most..30 + most {
        let answer = reads.next().await.unwrap();
        answer.problem(503);
        assert_ne!(answer.header("retry-after"), "", "{answer:?}");
    }
    assert!(hung(&hangs) > 0, "what was answered 503 waited for what hangs");
    assert_eq!(hanging.get("/health/live").await.status, 200);
    assert_eq!(hanging.get("/health/ready").await.status, 503);
    fs::remove_file(&hangs).unwrap();
    let rest: Vec<_> = reads.collect().await;
    assert!(rest.iter().all(|answer| answer.status == 200), "{rest:?}");
    assert_eq!(hanging.get("/health/ready").await.status, 200);
    assert_eq!(hanging.add("After").await.status, 201);
    hanging.server.end().expect(0);
}
