//! `export`: to standard output or a file, whole or not at all.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink},
    process::Command,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{environment, exported, reelshelf, reelshelf_with, three_films};
use crate::{
    on_both,
    support::{
        films::{empty, fill, films},
        program::{run_on, run_unread, run_with},
        terminal::Terminal,
    },
};

on_both! {
    async fn an_export_is_what_the_service_gives(service: &Service) {
        three_films(service).await;
        for (option, media_type) in [("--csv", "text/csv"), ("--ndjson", "application/x-ndjson"), ("--json", "application/json")] {
            assert_eq!(reelshelf(service, &["export", option]).expect(0).out, exported(service, media_type).await);
        }
        let some = reelshelf(service, &["export", "--search", "alien", "--rating", "..3", "--sort", "-title"]).expect(0).out;
        assert!(some.lines().count() == 2 && some.contains("Alien 3"), "{some}");
        reelshelf(service, &["export", "--csv", "--json"]).expect(2);
        reelshelf(service, &["export", "--sort", "colour"]).expect(2);
    }
}

on_both! {
    async fn a_file_takes_its_form_from_its_name_and_is_there_only_whole(service: &Service) {
        fill(service, &films(1500)).await;
        let folder = tempfile::tempdir().expect("a folder");
        for (name, media_type) in [("a.csv", "text/csv"), ("b.ndjson", "application/x-ndjson"), ("c.json", "application/json"), ("d", "text/csv")] {
            let path = folder.path().join(name);
            let done = reelshelf(service, &["export", path.to_str().expect("a path")]).expect(0);
            assert_eq!((done.out.as_str(), done.err.as_str()), ("", ""));
            assert_eq!(std::fs::read_to_string(path).expect("a file"), exported(service, media_type).await);
        }
        let path = folder.path().join("no/such/folder.csv");
        reelshelf(service, &["export", path.to_str().expect("a path")]).refused("cannot be written");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 4, "and nothing temporary");
        run_unread(&["export"], &environment(service)).expect(0);

        let path = folder.path().join("a.csv");
        let shown = Terminal::start(80, &["export", path.to_str().expect("a path")], &environment(service)).ended();
        assert!(shown.expect(0).out.contains("Exporting"));
    }
}

on_both! {
    async fn an_export_goes_where_the_path_leads_and_keeps_what_is_there(service: &Service) {
        three_films(service).await;
        let expected = exported(service, "text/csv").await;
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let export = |name: &str| reelshelf(service, &["export", path(name).to_str().expect("a path")]);
        let read = |name: &str| fs::read_to_string(path(name)).expect("a file");

        // Links, one of which leads nowhere yet.
        fs::create_dir(path("other")).expect("a folder");
        symlink("other/target.csv", path("link.csv")).expect("a link");
        symlink("link.csv", path("to link.csv")).expect("a link");
        for _ in 0..2 {
            export("to link.csv").expect(0);
            assert_eq!(read("other/target.csv"), expected);
            fs::write(path("other/target.csv"), "before").expect("a file");
        }
        assert!(path("link.csv").symlink_metadata().expect("a link").is_symlink());
        symlink("circle.csv", path("circle.csv")).expect("a link");
        export("circle.csv").refused("too many symbolic links");

        // Mode, owner and other names.
        fs::write(path("private.csv"), "before").expect("a file");
        fs::set_permissions(path("private.csv"), Permissions::from_mode(0o640)).expect("a mode");
        let is_root = rustix::process::getuid().is_root();
        if is_root {
            chown(path("private.csv"), Some(12345), Some(54321)).expect("an owner");
        }
        export("private.csv").expect(0);
        let found = fs::metadata(path("private.csv")).expect("a file");
        assert_eq!((found.mode() & 0o7777, read("private.csv")), (0o640, expected.clone()));
        assert!(!is_root || (found.uid(), found.gid()) == (12345, 54321));
        fs::write(path("one.csv"), "before, and much longer than after".repeat(100)).expect("a file");
        fs::hard_link(path("one.csv"), path("two.csv")).expect("a name");
        export("one.csv").expect(0);
        assert_eq!((read("one.csv"), read("two.csv")), (expected.clone(), expected.clone()));

        // What is no plain file.
        assert!(Command::new("mkfifo").arg(path("pipe")).status().expect("mkfifo").success());
        let pipe = path("pipe");
        let reader = std::thread::spawn(move || fs::read_to_string(pipe).expect("text"));
        export("pipe").expect(0);
        assert_eq!(reader.join().expect("a reader"), expected);
        assert!(fs::symlink_metadata(path("pipe")).expect("a pipe").file_type().is_fifo());
        reelshelf(service, &["export", "/dev/null"]).expect(0);
        reelshelf(service, &["export", "/dev/full"]).refused("No space left on device");
        for device in ["/dev/null", "/dev/full"] {
            assert!(fs::symlink_metadata(device).expect("a device").file_type().is_char_device());
        }
        export("other").refused("is a directory");
        let mut left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
        left.sort();
        assert_eq!(left, ["circle.csv", "link.csv", "one.csv", "other", "pipe", "private.csv", "to link.csv", "two.csv"]);
    }
}

on_both! {
    async fn standard_output_is_a_file_like_others(service: &Service) {
        three_films(service).await;
        let expected = exported(service, "text/csv").await;
        for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            assert_eq!(reelshelf(service, &["export", name]).expect(0).out, expected, "{name}");
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("log");
            fs::write(&path, "before\n").expect("a file");
            let log = fs::File::options().append(true).open(&path).expect("a file");
            run_on(&["export", name], &environment(service), Some(log.into()), None).expect(0);
            assert_eq!(fs::read_to_string(&path).expect("a file"), format!("before\n{expected}"), "{name}");
        }
        run_unread(&["export", "/dev/stdout"], &environment(service)).expect(0);
    }
}

on_both! {
    async fn an_export_imported_and_exported_again_is_the_same(service: &Service) {
        fill(service, &films(1100)).await;
        let own = |csv: &str| -> Vec<String> {
            csv.lines().map(|line| line.rsplitn(4, ',').last().expect("columns").split_once(',').expect("an id").1.to_owned()).collect()
        };
        for form in ["--csv", "--ndjson"] {
            let export = reelshelf(service, &["export", form]).expect(0).out;
            let before = reelshelf(service, &["export"]).expect(0).out;
            empty(service).await;
            reelshelf_with(service, &["import", "-", "--on-duplicate", "add"], &export).expect(0);
            assert_eq!(own(&reelshelf(service, &["export"]).expect(0).out), own(&before), "{form}");
        }
    }
}

/// A server that gives half a list and then ends, or falls silent.
async fn half_a_list(ends: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let base = format!("http://{}", listener.local_addr().expect("it listens"));
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.expect("a client");
        let mut request = [0; 4096];
        let read = client.read(&mut request).await.expect("a request");
        assert!(request[..read].starts_with(b"GET /movie "), "{}", String::from_utf8_lossy(&request));
        let half =
            b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ntransfer-encoding: chunked\r\n\r\n3\r\nid,\r\n";
        client.write_all(half).await.expect("an answer");
        if !ends {
            std::future::pending::<()>().await;
        }
    });
    base
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_an_export_leaves_no_file_and_the_one_before_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("films.csv");
    std::fs::write(&path, "before").expect("a file");
    let export = ["export", path.to_str().expect("a path")];

    let base = half_a_list(true).await;
    run_with(&export, &[("REELSHELF_SERVER", &base), ("REELSHELF_TOKEN", "rsh_x")]).refused("broke");

    let base = half_a_list(false).await;
    let mut terminal =
        Terminal::start(80, &export, &[("REELSHELF_SERVER", &base), ("REELSHELF_TOKEN", "rsh_x")]);
    terminal.await_text("Exporting  3 B");
    terminal.type_keys("\u{3}");
    let shown = terminal.ended().expect(130).out;
    assert!(shown.ends_with("reelshelf: interrupted; the export is not whole\n"), "{shown}");
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "before");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

on_both! {
    async fn a_name_that_says_another_form_is_refused(service: &Service) {
        three_films(service).await;
        let folder = tempfile::tempdir().expect("a folder");
        for ending in ["xlsx", "tsv", "csv.gz", "ZIP", "ods"] {
            let path = folder.path().join(format!("films.{ending}"));
            let done = reelshelf(service, &["export", path.to_str().expect("a path")]).expect(2);
            assert!(done.err.contains("--csv"), "{done:?}");
            assert!(!path.exists());
        }
        let path = folder.path().join("films.txt.gz");
        reelshelf(service, &["export", "--csv", path.to_str().expect("a path")]).expect(0);
        let csv = reelshelf(service, &["export", "--spreadsheet"]).expect(0).out;
        assert_eq!(csv, format!("\u{feff}{}", exported(service, "text/csv").await));
    }
}
