//! Prompts at the terminal, on standard error.

use std::io::{self, IsTerminal};

use anyhow::bail;

use crate::{
    cli::output::{message, write_message},
    domain::Invalid,
};

/// Returns whether a user is at the terminal.
#[must_use]
pub fn is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Prompts for a line.
///
/// # Errors
/// If the terminal was closed (Ctrl-D).
pub fn ask(question: &str) -> anyhow::Result<String> {
    write_message(format_args!("{question} "));
    let mut line = String::new();
    if io::stdin().read_line(&mut line)? == 0 {
        message!("");
        bail!("nothing was changed");
    }
    Ok(line.trim().to_owned())
}

/// Prompts until the answer is valid, showing the violated rule.
pub fn ask_for<T>(question: &str, parse: impl Fn(&str) -> Result<T, Invalid>) -> anyhow::Result<T> {
    loop {
        match parse(&ask(question)?) {
            Ok(value) => return Ok(value),
            Err(invalid) => message!("  It {invalid}."),
        }
    }
}

/// Prompts for a new value until it is valid; an empty answer keeps the current one.
pub fn ask_to_change<T>(
    question: &str,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> anyhow::Result<Option<T>> {
    ask_for(question, |answer| if answer.is_empty() { Ok(None) } else { parse(answer).map(Some) })
}

/// Asks for confirmation; anything but yes means no.
pub fn agrees(question: &str) -> anyhow::Result<bool> {
    let answer = ask(&format!("{question} [y/N]"))?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}
