//! `login` and `logout`: a stored token for one machine.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    on_both,
    support::{
        PASSWORD, Service,
        program::{Done, run_with_input},
        terminal::Terminal,
    },
};

/// A machine: a folder for its files.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn environment(&self) -> [(&str, &str); 2] {
        let folder = self.0.path().to_str().expect("a path");
        [("XDG_CONFIG_HOME", folder), ("HOME", folder)]
    }

    fn run(&self, arguments: &[&str], input: &str) -> Done {
        run_with_input(arguments, &self.environment(), input.as_bytes())
    }

    fn log_in(&self, service: &Service, more: &[&str]) -> Done {
        let login = [&["login", &service.base, "--name", "editor", "--password-stdin"], more].concat();
        self.run(&login, &format!("{PASSWORD}\n"))
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.path().join("reelshelf").join("logins.json")
    }

    fn token(&self) -> String {
        let logins: Value =
            serde_json::from_str(&fs::read_to_string(self.file()).expect("a file")).expect("JSON");
        logins[0]["token"].as_str().expect("a token").to_owned()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

on_both! {
    async fn logins_that_are_kept_elsewhere_stay_there(service: &Service) {
        let machine = Machine::new();
        machine.log_in(service, &[]).expect(0);
        let elsewhere = machine.0.path().join("elsewhere.json");
        fs::rename(machine.file(), &elsewhere).expect("a file");
        std::os::unix::fs::symlink(&elsewhere, machine.file()).expect("a link");
        let before = machine.token();
        machine.log_in(service, &[]).expect(0);
        assert_ne!(machine.token(), before);
        assert!(fs::symlink_metadata(machine.file()).expect("a link").is_symlink());
        assert_eq!(mode(&elsewhere), 0o600);
    }
}

on_both! {
    async fn a_login_stores_a_token_for_its_user_alone(service: &Service) {
        let machine = Machine::new();
        let done = machine.log_in(service, &[]).expect(0);
        assert_eq!((done.out.as_str(), done.err), ("", format!("Logged in to {} as editor (editor).\n", service.base)));
        assert_eq!(mode(&machine.file()), 0o600);
        assert_eq!(mode(machine.file().parent().expect("a folder")), 0o700);
        assert_eq!(fs::read_dir(machine.file().parent().expect("a folder")).expect("a folder").count(), 1);
        machine.run(&["list"], "").expect(0);
        let elsewhere = machine.run(&["list", "--server", "http://127.0.0.1:1"], "");
        elsewhere.refused("there is no token for http://127.0.0.1:1");

        fs::set_permissions(machine.file(), fs::Permissions::from_mode(0o644)).expect("another mode");
        let mended = machine.run(&["list"], "").expect(0);
        assert!(mended.err.contains("could be read by others; this is corrected"), "{}", mended.err);
        assert_eq!(mode(&machine.file()), 0o600);
    }
}

on_both! {
    async fn another_login_replaces_and_revokes_the_token_before(service: &Service) {
        let machine = Machine::new();
        machine.log_in(service, &[]).expect(0);
        let first = machine.token();
        machine.log_in(service, &["--role", "viewer"]).expect(0);
        let second = machine.token();
        assert_eq!(service.me_as(&first).await.status, 401);
        assert_eq!(service.me_as(&second).await.json(), json!({"name": "editor", "role": "viewer"}));
        machine.run(&["import", "-"], "title\n").refused("editor may only read there, with the role viewer");

        let done = machine.run(&["logout"], "").expect(0);
        assert_eq!(done.err, format!("Logged out of {}; the token is revoked.\n", service.base));
        assert_eq!(service.me_as(&second).await.status, 401);
        assert!(!machine.file().exists());
        machine.run(&["logout"], "").refused("there is no login");
        machine.run(&["list"], "").refused("`reelshelf login URL`");
    }
}

on_both! {
    async fn the_last_login_is_meant_and_others_are_kept(service: &Service) {
        let other = Service::start(service.database.kind).await;
        let machine = Machine::new();
        machine.log_in(service, &[]).expect(0);
        machine.log_in(&other, &[]).expect(0);
        other.add("Heat", "DVD", 170, 1995, 5).await;
        assert!(machine.run(&["list"], "").expect(0).out.contains("Heat"));
        assert_eq!(machine.run(&["list", "--server", &service.base], "").expect(0).out, "");
        let done = machine.run(&["logout"], "").expect(0);
        assert!(done.err.ends_with(&format!("Commands now use {}.\n", service.base)), "{}", done.err);
        assert_eq!(machine.run(&["list"], "").expect(0).out, "");
    }
}

on_both! {
    async fn a_logout_forgets_the_token_even_where_the_server_is_away(service: &Service) {
        let machine = Machine::new();
        machine.log_in(service, &[]).expect(0);
        let moved = fs::read_to_string(machine.file()).expect("a file").replace(&service.base, "http://127.0.0.1:1");
        fs::write(machine.file(), moved).expect("a file");
        let refused = machine.run(&["logout"], "");
        assert!(refused.err.contains("http://127.0.0.1:1 has not revoked it (token "), "{}", refused.err);
        refused.refused("the token is removed from this machine");
        assert!(!machine.file().exists());
    }
}

on_both! {
    async fn what_is_wrong_with_a_login_stores_nothing(service: &Service) {
        let machine = Machine::new();
        let login = ["login", &service.base, "--name", "editor", "--password-stdin"];
        let wrong = machine.run(&login, "not the password\n");
        assert!(!wrong.err.contains("not the password"), "{}", wrong.err);
        wrong.refused("reelshelf: ");
        machine.run(&["login", &service.base], "").refused("give the name with --name");
        machine.run(&["login", &service.base, "--name", "editor"], "").refused("--password-stdin");
        machine.run(&["login"], "").expect(2);
        machine.run(&["login", "ftp://films.example"], "").expect(2);
        machine.run(&[&login[..], &["--role", "king"]].concat(), "").expect(2);
        let tokens = service.request_as(&service.editor, reqwest::Method::GET, "/token");
        let tokens = crate::support::Answer::of(tokens).await.json();
        assert_eq!(tokens.as_array().map(Vec::len), Some(1), "{tokens}");
        assert!(!machine.file().exists());

        fs::create_dir(machine.0.path().join("reelshelf")).expect("a folder");
        fs::write(machine.file(), "no JSON").expect("a file");
        machine.run(&["list"], "").refused("remove it and log in again");
    }
}

on_both! {
    async fn a_terminal_is_asked_for_name_and_password_and_shows_no_password(service: &Service) {
        let machine = Machine::new();
        let mut terminal = Terminal::start(80, &["login", &service.base], &machine.environment());
        terminal.answer("User name:", "editor");
        terminal.answer_unseen("Password of editor:", PASSWORD);
        let shown = terminal.ended().expect(0).out;
        assert!(shown.contains("Logged in to ") && !shown.contains(PASSWORD), "{shown}");
        assert!(!shown.contains(&machine.token()), "{shown}");
    }
}

#[test]
fn a_password_over_a_network_without_encryption_is_warned_of() {
    let machine = Machine::new();
    // Nobody has that name (RFC 6761), so this fails, after the warning.
    let login = ["login", "http://reelshelf.invalid", "--name", "olivia", "--password-stdin"];
    let failed = machine.run(&login, "secret\n").expect(1);
    assert!(
        failed
            .err
            .starts_with("reelshelf: warning: the password goes to http://reelshelf.invalid unencrypted"),
        "{}",
        failed.err
    );
    let token =
        machine.run(&["list", "--server", "http://reelshelf.invalid", "--token", "rsh_x"], "").expect(1);
    assert!(token.err.starts_with("reelshelf: warning: the token goes to"), "{}", token.err);
    assert!(token.err.lines().last().is_some_and(|line| line.contains("cannot be reached")), "{}", token.err);
}
