//! Passwords: from the terminal, standard input or a file, but never from an argument.

use std::{io::IsTerminal, path::Path};

use anyhow::bail;

use super::text_file;
use crate::domain::{Password, UserName};

/// Prompts twice for a new password, or reads a line of standard input.
pub fn ask(name: &UserName, from_stdin: bool) -> anyhow::Result<Password> {
    let text = read(&format!("New password of {}: ", name.as_str()), from_stdin)?;
    if !from_stdin && text != rpassword::prompt_password("Repeat the password: ")? {
        bail!("the two passwords differ");
    }
    check(&text, name)
}

/// Prompts for the current password, or reads a line of standard input.
pub fn present(name: &UserName, from_stdin: bool) -> anyhow::Result<String> {
    read(&format!("Password of {}: ", name.as_str()), from_stdin)
}

fn read(question: &str, from_stdin: bool) -> anyhow::Result<String> {
    if from_stdin {
        return text_file::next_line(std::io::stdin().lock());
    }
    if !std::io::stdin().is_terminal() {
        bail!("give the password with --password-stdin; there is no terminal to ask at");
    }
    Ok(rpassword::prompt_password(question)?)
}

/// Reads a password from the only line of a file.
pub fn from_file(path: &Path, name: &UserName) -> anyhow::Result<Password> {
    check(&text_file::read_line_of(path)?, name)
}

/// Validates a password.
pub fn check(text: &str, name: &UserName) -> anyhow::Result<Password> {
    Password::parse(text, name).map_err(|invalid| anyhow::anyhow!("the password {invalid}"))
}
