//! Checks commands, options and settings in the documents against the command line.

use clap::{Arg, Command};
use reelshelf::cli;

use super::{
    Document, documents, everywhere, made_up,
    markdown::{code, section, shell_blocks, table},
    read,
    shell::{self, without_variables},
};

/// Options of other programs in the prose.
const OF_OTHERS: [&str; 6] =
    ["--json", "--no-execute-changeset", "--option", "--read-only", "--stop-timeout", "--without-root"];

fn command_line() -> Command {
    let mut command = cli::command();
    command.build();
    command
}

/// Returns the arguments of our program, if a command runs it, also in a container.
fn of_program(command: &[String]) -> Option<&[String]> {
    let command = without_variables(command);
    let is_program =
        |word: &String| ["reelshelf", "reelshelf-admin"].contains(&word.rsplit('/').next().unwrap_or(word));
    if command.first().is_some_and(is_program) {
        return Some(&command[1..]);
    }
    let in_container = command.first().is_some_and(|word| ["docker", "podman"].contains(&word.as_str()));
    let start = command.iter().position(|word| word == "/reelshelf").filter(|_| in_container)?;
    Some(&command[start + 1..])
}

/// Returns the lines of a document that the program rejects.
fn refused(document: &Document) -> Vec<String> {
    let lines = shell_blocks(&document.text);
    let commands: Vec<_> = lines.iter().flat_map(|block| shell::commands(block)).collect();
    let refusal = |arguments: &[String]| {
        let words = ["reelshelf"].into_iter().chain(arguments.iter().map(String::as_str));
        let error = cli::command().try_get_matches_from(words).err().filter(clap::Error::use_stderr)?;
        Some(format!("reelshelf {}: {error}", arguments.join(" ")))
    };
    commands.iter().filter_map(|command| of_program(command)).filter_map(refusal).collect()
}

#[test]
fn the_program_takes_every_command_of_a_shell_example() {
    assert_eq!(everywhere(refused), Vec::<String>::new());
    let wrong = "```sh\nreelshelf nothing\nX=1 reelshelf list --format Betamax\ndocker exec NAME /reelshelf user add\n\
                 reelshelf-admin user list | sort\n```\n";
    assert_eq!(refused(&made_up(wrong)).len(), 3, "what is wrong is found");
    let number = |document: &Document| {
        let blocks = shell_blocks(&document.text);
        let of_program =
            |block: &String| shell::commands(block).iter().filter(|c| of_program(c).is_some()).count();
        vec![String::new(); blocks.iter().map(of_program).sum()]
    };
    assert!(everywhere(number).len() > 60, "the examples are found");
}

fn has_option(command: &Command, option: &str) -> bool {
    let name = option.trim_start_matches("--").split('=').next().unwrap_or_default();
    let is_it = |arg: &Arg| {
        arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|all| all.contains(&name))
    };
    command.get_arguments().any(is_it)
}

fn anywhere_has_option(command: &Command, option: &str) -> bool {
    has_option(command, option)
        || command.get_subcommands().any(|command| anywhere_has_option(command, option))
}

/// Returns the first unknown word of a line such as `reelshelf user list --server`.
fn unknown_word(root: &Command, words: &[String]) -> Option<String> {
    let mut command = root;
    let mut may_follow = true;
    for word in words {
        let is_placeholder = word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        if word.starts_with("--") {
            if !has_option(command, word) && !has_option(root, word) {
                return Some(word.clone());
            }
        } else if let Some(next) = command.find_subcommand(word).filter(|_| may_follow) {
            command = next;
        } else if command.has_subcommands()
            && may_follow
            && !is_placeholder
            && command.get_positionals().next().is_none()
        {
            return Some(word.clone());
        } else {
            may_follow = false;
        }
    }
    None
}

/// Returns unknown commands and options in the prose.
fn unknown(document: &Document) -> Vec<String> {
    let root = command_line();
    let find = |code: String| {
        let words: Vec<String> = code.split(' ').map(str::to_owned).collect();
        let words = without_variables(&words);
        let unknown = match words.first()?.as_str() {
            "reelshelf" | "reelshelf-admin" => unknown_word(&root, &words[1..])?,
            option if option.starts_with("--") => {
                let name = option.split(['=', '/']).next().unwrap_or(option);
                let known = OF_OTHERS.contains(&name) || anywhere_has_option(&root, name);
                (!known).then(|| name.to_owned())?
            }
            _ => return None,
        };
        Some(format!("{unknown} in `{code}`"))
    };
    code(&document.text).into_iter().filter_map(find).collect()
}

#[test]
fn every_command_and_option_that_the_prose_names_exists() {
    assert_eq!(everywhere(unknown), Vec::<String>::new());
    let wrong = "`reelshelf nothing`, `reelshelf user nothing`, `reelshelf list --colour`, `--colour`, `reelshelf user list`";
    assert_eq!(unknown(&made_up(wrong)).len(), 4, "what is wrong is found");
    let quoted: Vec<String> = documents().iter().flat_map(|document| code(&document.text)).collect();
    let is_unused = |option: &&str| !quoted.iter().any(|code| code.starts_with(option));
    assert_eq!(OF_OTHERS.into_iter().filter(is_unused).collect::<Vec<_>>(), [""; 0]);
}

/// Returns the options of `serve` with their variables and defaults, like the table in the documentation.
fn options_of_serve() -> Vec<[String; 3]> {
    let root = command_line();
    let serve = root.find_subcommand("serve").expect("a command");
    let quoted = |text: &str| format!("`{text}`");
    let row = |arg: &Arg| {
        let long = arg.get_long().filter(|long| !["help", "version"].contains(long));
        let variable = arg.get_env().and_then(|name| name.to_str());
        if long.is_none() && variable.is_none() {
            return None;
        }
        let in_help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let in_help = in_help.split_once("[default: ").and_then(|(_, rest)| rest.split(']').next());
        let default = arg.get_default_values().first().and_then(|value| value.to_str()).or(in_help);
        Some([
            long.filter(|_| !arg.is_hide_set()).map(|long| format!("--{long}")).unwrap_or_default(),
            variable.map(quoted).unwrap_or_default(),
            default.map(quoted).unwrap_or_default(),
        ])
    };
    serve.get_arguments().filter_map(row).collect()
}

#[test]
fn the_table_of_options_is_that_of_serve() {
    let page = read("docs/operating.md");
    let rows =
        table(section(&page, "## Options of `reelshelf serve`"), &["option", "environment", "default", ""]);
    let option = |cell: &str| cell.trim_matches('`').split(' ').next().unwrap_or_default().to_owned();
    let mut documented: Vec<_> =
        rows.iter().map(|row| [option(&row[0]), row[1].clone(), row[2].clone()]).collect();
    // These two exist only as variables.
    documented.retain(|row| !["`RUST_LOG`", "`REELSHELF_OWNER_PASSWORD`"].contains(&row[1].as_str()));
    let mut expected = options_of_serve();
    documented.sort();
    expected.sort();
    assert_eq!(documented, expected);
}
