//! The database's address, given as a file.

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
                (option.to_vec(), vec![file_variable]),
                (file_option.to_vec(), vec![variable]),
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
