//! The database address in a file.

use crate::{
    on_both,
    support::{
        Kind, PASSWORD, TestDatabase,
        program::{Program, run, run_with, run_with_input},
    },
};

use super::{add_user, status_as};

on_both! {
    async fn the_address_comes_from_a_file(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let (file, backup) = (folder.path().join("address"), folder.path().join("backup"));
        let (file, backup) = (file.to_str().unwrap(), backup.to_str().unwrap());
        for (number, end) in ["", "\n", "\r\n"].into_iter().enumerate() {
            std::fs::write(file, format!("{}{end}", database.address)).unwrap();
            for (by, options, environment) in [
                ("option", &["--database-file", file][..], &[][..]),
                ("environment", &[], &[("REELSHELF_DATABASE_FILE", file)]),
            ] {
                let run = |arguments: &[&str]| {
                    let input = format!("{PASSWORD}\n");
                    run_with_input(&[arguments, options].concat(), environment, input.as_bytes()).expect(0)
                };
                let name = format!("{by}{number}");
                run(&["migrate"]);
                run(&["user", "add", &name, "--role", "owner", "--password-stdin"]);
                assert!(run(&["user", "list"]).out.contains(&format!("{name}\towner\t")));
                run(&["token", "create", &name, "test"]);
                run(&["backup", "--force", backup]);
                run(&["restore", "--replace", backup]);
                run(&["history", "prune", "--before", "2026-01-01"]);
                let server = Program::start_in(environment, options);
                assert_eq!(status_as(&server, &name, PASSWORD).await, 200);
            }
        }
        assert_eq!(run(&database, &["user", "list"], "").expect(0).out.lines().count(), 6);
    }
}

on_both! {
    async fn a_file_and_an_address_contradict_each_other(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &database.address).unwrap();
        let file = file.path().to_str().unwrap();
        let (option, variable) = (["--database", &database.address], ("REELSHELF_DATABASE", &*database.address));
        let (file_option, file_variable) = (["--database-file", file], ("REELSHELF_DATABASE_FILE", file));
        for command in [&["user", "list"][..], &["serve", "--listen", "127.0.0.1:0"]] {
            for (options, environment) in [
                ([&option[..], &file_option].concat(), vec![]),
                (vec![], vec![variable, file_variable]),
            ] {
                let done = run_with(&[command, &options].concat(), &environment).expect(2);
                assert!(done.out.is_empty() && done.err.contains("cannot be used with"), "{done:?}");
                assert!(!done.err.contains(&database.address), "{done:?}");
            }
        }
        let apart = [&["user"], &file_option[..], &["list"], &option].concat();
        assert!(run_with(&apart, &[]).expect(2).err.contains("cannot be used with"));
    }
}

on_both! {
    async fn an_option_takes_precedence_over_the_environment(database: TestDatabase) {
        add_user(&database, "olivia", "owner");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &database.address).unwrap();
        let file = file.path().to_str().unwrap();
        for (option, variable) in [
            (["--database", &database.address], ("REELSHELF_DATABASE_FILE", "/missing")),
            (["--database-file", file], ("REELSHELF_DATABASE", "sqlite:/missing/films.db")),
        ] {
            for apart in [[&["user"], &option[..], &["list"]].concat(), [&["user", "list"], &option[..]].concat()] {
                let done = run_with(&apart, &[variable]).expect(0);
                assert!(done.out.starts_with("olivia\towner\t"), "{done:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_device_is_no_database() {
    for command in ["serve", "check", "migrate"] {
        let done = run_with(&[command, "--database", "sqlite:/dev/null"], &[]);
        done.refused("/dev/null is not a regular file, which SQLite needs");
    }
}

#[tokio::test]
async fn a_file_without_an_address_is_named_and_not_repeated() {
    let database = TestDatabase::new(Kind::Sqlite).await;
    let file = database.folder().join("address");
    let name = file.to_str().unwrap();
    let refuses = |words: &str| {
        for command in
            [&["user", "list"][..], &["backup", "films.backup"], &["serve", "--listen", "127.0.0.1:0"]]
        {
            let done = run_with(&[command, &["--database-file", name]].concat(), &[("RUST_LOG", "trace")]);
            assert!(!done.err.contains("s3cret"), "{done:?}");
            done.refused(words);
        }
    };
    refuses(&format!("cannot read {name}"));
    for nothing in ["", "\n"] {
        std::fs::write(&file, nothing).unwrap();
        refuses(&format!("there is no database's address in {name}"));
    }
    std::fs::write(&file, b"postgres://reelshelf:s3cret\xff@db.example/films").unwrap();
    refuses(&format!("cannot read {name}"));
    std::fs::write(&file, "mysql://reelshelf:s3cret@localhost/films").unwrap();
    refuses("must be given as sqlite:PATH or postgres://…");
}

#[tokio::test]
async fn an_address_that_others_read_otherwise_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (address, words) in [
        ("sqlite://films.db", "without //"),
        ("sqlite:///films.db", "without //"),
        ("sqlite:", "path of a file"),
        ("films.db", "sqlite:PATH"),
        ("postgres://u:s3cret@127.0.0.1/d?schema=x", "search_path"),
        ("postgres://u:s3cret@127.0.0.1/d?colour=x", "colour"),
    ] {
        for command in [&["migrate"][..], &["serve", "--listen", "127.0.0.1:0"], &["user", "list"]] {
            let done = run_with(command, &[("REELSHELF_DATABASE", address)]).expect(1);
            assert!(done.err.contains(words) && !done.err.contains("s3cret"), "{address}: {done:?}");
        }
    }
    for name in [":memory:", "file:x.db", "a b?c%20.db"] {
        let status = std::process::Command::new(env!("CARGO_BIN_EXE_reelshelf"))
            .args(["migrate", "--database", &format!("sqlite:{name}")])
            .current_dir(folder.path())
            .status()
            .unwrap();
        assert!(status.success(), "{name}");
        assert!(folder.path().join(name).metadata().unwrap().len() > 0, "{name}");
    }
}

on_both! {
    async fn empty_variables_are_unset_and_texts_may_have_marks(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let address = file("address", format!("\u{feff}{} \r\n", database.address).as_bytes());
        let utf16: Vec<u8> = format!("\u{feff}{PASSWORD}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let password = file("password", &utf16);
        let environment = [
            ("REELSHELF_DATABASE", ""),
            ("REELSHELF_DATABASE_FILE", &*address),
            ("REELSHELF_PUBLIC_URL", ""),
            ("REELSHELF_TRUSTED_PROXY", "127.0.0.1, 10.0.0.0/8"),
            ("REELSHELF_TLS_CERT", ""),
            ("REELSHELF_TLS_KEY", ""),
            ("REELSHELF_LOG_FORMAT", ""),
            ("REELSHELF_OWNER", "olivia"),
            ("REELSHELF_OWNER_PASSWORD", ""),
            ("REELSHELF_OWNER_PASSWORD_FILE", &*password),
            ("REELSHELF_ARTICLES", ""),
            ("RUST_LOG", ""),
        ];
        let server = Program::start_in(&environment, &[]);
        assert_eq!(status_as(&server, "olivia", PASSWORD).await, 200);
        let given = format!("\u{feff}{PASSWORD}\n");
        run_with_input(&["user", "add", "pete", "--password-stdin", "--database-file", &address], &[], given.as_bytes()).expect(0);
        assert_eq!(status_as(&server, "pete", PASSWORD).await, 200);
        server.end().expect(0);
        let two = file("two", format!("{PASSWORD}\nmore\n").as_bytes());
        let done = run_with(
            &["serve", "--listen", "127.0.0.1:0", "--owner", "mary", "--owner-password-file", &two],
            &[("REELSHELF_DATABASE_FILE", &*address)],
        )
        .expect(1);
        assert!(done.err.contains("one line"), "{done:?}");
        for filter in ["nonsense=", "verbose"] {
            let done = run_with(&["serve", "--listen", "127.0.0.1:0"], &[("REELSHELF_DATABASE_FILE", &*address), ("RUST_LOG", filter)]).expect(1);
            assert!(done.err.contains("RUST_LOG"), "{done:?}");
        }
    }
}

on_both! {
    async fn articles_can_be_chosen(database: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, PASSWORD).unwrap();
        let start = |articles: &str| {
            let owner = ["--owner", "olivia", "--owner-password-file", file.to_str().unwrap()];
            Program::start_with(&database, &[&["--articles", articles][..], &owner].concat(), &[])
        };
        let server = start("le,la,l'");
        for title in ["Le Mépris", "The Heat", "L’Avventura", "Zodiac"] {
            let movie = serde_json::json!({"title": title, "movieFormat": "DVD", "length": 1, "releaseYear": 2000, "rating": 3});
            let request = server.request(reqwest::Method::POST, "/movie").basic_auth("olivia", Some(PASSWORD)).json(&movie);
            assert_eq!(crate::support::Answer::of(request).await.status, 201);
        }
        let titles = async |server: &Program| {
            let request = server.request(reqwest::Method::GET, "/movie?sort=title").basic_auth("olivia", Some(PASSWORD));
            let films = crate::support::Answer::of(request).await.json();
            films.as_array().unwrap().iter().map(|film| film["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(titles(&server).await, ["L’Avventura", "Le Mépris", "The Heat", "Zodiac"]);
        server.end().expect(0);
        assert_eq!(titles(&start("the")).await, ["The Heat", "L’Avventura", "Le Mépris", "Zodiac"]);
        run(&database, &["serve", "--listen", "127.0.0.1:0", "--articles", "the an"], "").expect(2);
    }
}

/// Commands that need an existing database.
const ON_WHAT_IS_THERE: [&[&str]; 12] = [
    &["user", "list"],
    &["user", "role", "olivia", "owner"],
    &["user", "passwd", "olivia", "--password-stdin"],
    &["user", "remove", "olivia"],
    &["token", "create", "olivia", "x"],
    &["token", "list", "olivia"],
    &["token", "revoke", "olivia", "--all"],
    &["session", "list", "olivia"],
    &["session", "end", "olivia", "--all"],
    &["history", "prune", "--before", "2026-01-01"],
    &["backup", "x.backup"],
    &["check"],
];

#[test]
fn a_database_is_not_made_by_accident() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_reelshelf"));
        command.args(arguments).current_dir(folder.path()).env_clear().stdin(std::process::Stdio::null());
        command.env("HOME", folder.path());
        let done = command.output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    for command in ON_WHAT_IS_THERE {
        let (status, said) = run(command);
        assert_eq!(status, Some(1), "{command:?}: {said}");
        assert!(said.contains("there is no database reelshelf.db") && said.contains("--database"), "{said}");
        let (status, said) = run(&[command, &["--database", "sqlite:other.db"]].concat());
        assert_eq!(status, Some(1), "{command:?}: {said}");
        assert!(said.contains("there is no database other.db") && said.contains("--database"), "{said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{command:?}");
    }
    let (status, said) = run(&["restore", "missing.backup"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("missing.backup cannot be read"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    for command in ON_WHAT_IS_THERE {
        let (status, said) = run(&[command, &["--database", "sqlite:empty.db"]].concat());
        assert_eq!(status, Some(1), "{command:?}: {said}");
        assert!(said.contains("is empty"), "{said}");
    }
    assert_eq!(std::fs::metadata(folder.path().join("empty.db")).unwrap().len(), 0);
    assert_eq!(run(&["migrate"]).0, Some(0));
    assert_eq!(run(&["user", "list"]).0, Some(0));
}

on_both! {
    async fn an_empty_database_is_filled_only_by_what_begins_a_collection(database: TestDatabase) {
        for command in ON_WHAT_IS_THERE {
            let done = run(&database, command, PASSWORD);
            assert!(done.status == 1 && (done.err.contains("is empty") || done.err.contains("there is no database")), "{command:?}: {done:?}");
        }
        add_user(&database, "olivia", "owner");
        assert_eq!(run(&database, &["user", "list"], "").expect(0).out.lines().count(), 1);
    }
}
