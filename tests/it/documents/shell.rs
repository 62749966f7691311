//! Parses shell commands as far as documents need it: quotes, comments, pipes, redirections.

use std::{iter::Peekable, mem, str::Chars};

#[derive(Default)]
struct Reader {
    commands: Vec<Vec<String>>,
    command: Vec<String>,
    word: Option<String>,
    /// Whether the next word is the file of a redirection.
    redirects: bool,
}

impl Reader {
    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take()
            && !mem::take(&mut self.redirects)
        {
            self.command.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirects = false;
        let command = mem::take(&mut self.command);
        if !command.is_empty() {
            self.commands.push(command);
        }
    }

    fn quoted(&mut self, quote: char, chars: &mut Peekable<Chars>) {
        self.word.get_or_insert_default();
        while let Some(c) = chars.next() {
            match c {
                _ if c == quote => return,
                '\\' if quote == '"' => chars.next().into_iter().for_each(|c| self.push(c)),
                _ => self.push(c),
            }
        }
        panic!("a quotation mark is never closed");
    }
}

/// Returns the words of each command, without comments and redirections.
pub fn commands(text: &str) -> Vec<Vec<String>> {
    let mut reader = Reader::default();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => chars.next().into_iter().filter(|c| *c != '\n').for_each(|c| reader.push(c)),
            '\'' | '"' => reader.quoted(c, &mut chars),
            '#' if reader.word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            ' ' | '\t' => reader.end_word(),
            '\n' | ';' | '|' | '&' | '(' | ')' => reader.end_command(),
            '<' | '>' => {
                reader.word.take_if(|word| word.bytes().all(|b| b.is_ascii_digit()));
                reader.end_word();
                reader.redirects = true;
            }
            _ => reader.push(c),
        }
    }
    reader.end_command();
    reader.commands
}

/// Returns a command without its variable assignments.
pub fn without_variables(command: &[String]) -> &[String] {
    let is_variable = |word: &String| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
    };
    let given = command.iter().take_while(|word| is_variable(word)).count();
    &command[given..]
}

#[test]
fn the_commands_of_a_text_are_found() {
    let text = "A=1 one 'two  three' \"fo\\\"ur\" # five\n\nx 2>>log < in | y \\\n  z && (echo $(w v))\n";
    let expected: [&[&str]; 5] =
        [&["A=1", "one", "two  three", "fo\"ur"], &["x"], &["y", "z"], &["echo", "$"], &["w", "v"]];
    assert_eq!(commands(text), expected);
    assert_eq!(without_variables(&commands(text)[0]).len(), 3);
}
