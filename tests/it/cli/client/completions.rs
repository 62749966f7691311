//! Completion, manual pages and help.

use std::fs;

use super::{environment, three_films};
use crate::{
    on_both,
    support::{
        Service,
        program::{poll, run_with},
    },
};

const COMMANDS: [&str; 26] = [
    "add",
    "list",
    "search",
    "show",
    "edit",
    "rm",
    "pick",
    "stats",
    "import",
    "export",
    "history",
    "undo",
    "open",
    "login",
    "logout",
    "whoami",
    "completions",
    "man",
    "serve",
    "user",
    "token",
    "session",
    "backup",
    "restore",
    "check",
    "migrate",
];

/// What the last of these words can become, as bash asks for it.
fn completed(service: Option<&Service>, words: &[&str]) -> Vec<String> {
    let arguments = [&["--", "reelshelf"], words].concat();
    let index = words.len().to_string();
    let asked = [("REELSHELF_COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", &index), ("_CLAP_IFS", "\n")];
    let environment = service.map(environment);
    let environment = [&asked[..], environment.as_ref().map_or(&[], |of| &of[..])].concat();
    let done = run_with(&arguments, &environment).expect(0);
    assert_eq!(done.err, "");
    done.out.lines().map(str::to_owned).collect()
}

on_both! {
    async fn titles_complete_where_a_film_is_meant(service: &Service) {
        three_films(service).await;
        service.add("Älien vs. Predator", "DVD", 101, 2004, 2).await;
        for command in ["show", "edit", "rm", "history", "list", "search", "pick", "stats", "open"] {
            // Completing gives up soon, so that nobody waits at the prompt; on a busy machine one asks again.
            let titles = poll("titles", || {
                let titles = completed(Some(service), &[command, "ali"]);
                (!titles.is_empty()).then_some(titles)
            });
            assert_eq!(titles, ["Alien", "Alien 3", "Älien vs. Predator"], "{command}");
        }
        assert!(completed(None, &["show", "ali"]).is_empty(), "and without a server nothing is said");
    }
}

#[test]
fn commands_options_and_their_values_complete() {
    let commands = completed(None, &[""]);
    for command in COMMANDS {
        assert!(commands.iter().any(|known| known == command), "{command}: {commands:?}");
    }
    assert_eq!(completed(None, &["list", "--form"]), ["--format"]);
    assert_eq!(completed(None, &["list", "--format", ""]), ["DVD", "Streaming", "VHS"]);
    assert!(completed(None, &["import", "--source", "lett"]).contains(&"letterboxd".to_owned()));
    assert!(!completed(None, &["list", "--"]).contains(&"--log-format".to_owned()));
}

#[test]
fn every_shell_is_told_how_to_complete_without_a_server() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let printed = run_with(&["completions", shell], &[]).expect(0);
        assert!(printed.out.contains("REELSHELF_COMPLETE") && printed.err.is_empty(), "{printed:?}");
    }
    run_with(&["completions", "cmd"], &[]).expect(2);
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let main = run_with(&["man"], &[]).expect(0).out;
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("pages");
    run_with(&["man", "--out", pages.to_str().expect("a path")], &[]).expect(0);
    assert!(!fs::read_to_string(pages.join("reelshelf.1")).expect("a page").is_empty());
    for command in COMMANDS {
        assert!(main.contains(&format!("reelshelf\\-{command}(1)")), "{command}: {main}");
        let page = fs::read_to_string(pages.join(format!("reelshelf-{command}.1"))).expect(command);
        assert!(page.contains(".SH NAME") && page.contains(command), "{page}");
    }
    run_with(&["man", "--out", "/dev/null/pages"], &[]).refused("man pages cannot be written");
}

#[test]
fn the_help_names_every_command_in_its_group() {
    let help = run_with(&["--help"], &[]).expect(0).out;
    for command in COMMANDS {
        let is_listed = |line: &str| {
            line.starts_with(&format!("  {command} ")) || line.starts_with(&format!("  {command}, "))
        };
        assert!(help.lines().any(is_listed), "{command}: {help}");
        let own = run_with(&[command, "--help"], &[]).expect(0).out;
        assert!(own.contains("Usage: reelshelf "), "{own}");
        let is_served =
            ["serve", "user", "token", "session", "backup", "restore", "check", "migrate"].contains(&command);
        assert_eq!(own.contains("--log-format"), is_served, "{own}");
        assert_eq!(own.contains("--database"), is_served, "{own}");
    }
}

#[test]
fn commands_have_the_names_that_people_try() {
    let help = run_with(&["--help"], &[]).expect(0).out;
    for (command, other) in [("list", "ls"), ("search", "find"), ("rm", "delete"), ("whoami", "status")] {
        assert!(help.contains(&format!("  {command}, {other} ")), "{help}");
        let [own, same] = [command, other].map(|name| run_with(&[name, "--help"], &[]).expect(0).out);
        assert_eq!(own, same);
    }
    for hidden in ["remove", "new", "change", "users", "tokens", "sessions"] {
        run_with(&[hidden, "--help"], &[]).expect(0);
    }
    run_with(&["frobnicate"], &[]).expect(2);
}
