//! Parses parts of Markdown.

/// A fenced code block.
pub struct Block<'a> {
    /// The info string, such as `sh`.
    pub language: &'a str,
    pub text: String,
}

/// Splits a text into prose and code blocks.
fn split(text: &str) -> (String, Vec<Block<'_>>) {
    let (mut prose, mut blocks) = (String::new(), Vec::new());
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some(Block { language, text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, open) => {
                let text = open.as_mut().map_or(&mut prose, |block| &mut block.text);
                text.extend([line, "\n"]);
            }
        }
    }
    assert!(open.is_none(), "a block has no end");
    (prose, blocks)
}

pub fn blocks(text: &str) -> Vec<Block<'_>> {
    split(text).1
}

/// Returns the shell blocks.
pub fn shell_blocks(text: &str) -> Vec<String> {
    let is_shell = |block: &Block| ["sh", "console"].contains(&block.language);
    blocks(text).into_iter().filter(is_shell).map(|block| block.text).collect()
}

/// Returns the inline code of the prose, with line breaks as spaces.
pub fn code(text: &str) -> Vec<String> {
    let prose = split(text).0;
    prose
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|code| code.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// Returns the link targets.
pub fn links(text: &str) -> Vec<String> {
    let prose = split(text).0;
    let target = |rest: &str| rest.split(')').next().unwrap_or_default().to_owned();
    prose.split("](").skip(1).map(target).collect()
}

/// Returns the heading anchors, as GitHub generates them.
pub fn anchors(text: &str) -> Vec<String> {
    let prose = split(text).0;
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let kept = heading
            .trim_start_matches('#')
            .trim()
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// Returns a section, from its heading to the next one.
pub fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    rest.split("\n## ").next().unwrap_or_default()
}

/// Returns the cells of all table rows, without the delimiter rows.
pub fn rows(text: &str) -> Vec<Vec<String>> {
    let prose = split(text).0;
    let lines = prose.lines().map(str::trim).filter(|line| line.starts_with('|') && !line.starts_with("|--"));
    let cells = |line: &str| {
        let inner = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')).unwrap_or(line);
        inner.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    lines.map(cells).collect()
}

/// Returns the rows of the table with this head.
pub fn table(text: &str, head: &[&str]) -> Vec<Vec<String>> {
    let rows = rows(text);
    let start = rows.iter().position(|row| row == head).unwrap_or_else(|| panic!("no table {head:?}"));
    let body = rows[start + 1..].iter().take_while(|row| row.len() == head.len());
    // The next table with the same number of columns begins with its head, which has no delimiter row here.
    body.take_while(|row| {
        row[0].starts_with('`') || row[0].is_empty() || row[0].starts_with(|c: char| c.is_ascii_digit())
    })
    .cloned()
    .collect()
}

#[test]
fn the_parts_of_a_text_are_found() {
    let text = "# A title: one\n\nSome `co\nde` and a [link](a.md#b).\n\n```sh\n`no code`\n```\n\n| a | b |\n|---|---|\n| `x` | 1 |\n";
    assert_eq!(code(text), ["co de", "x"]);
    assert_eq!(links(text), ["a.md#b"]);
    assert_eq!(anchors(text), ["a-title-one"]);
    assert_eq!(shell_blocks(text), ["`no code`\n"]);
    assert_eq!(table(text, &["a", "b"]), [["`x`", "1"]]);
}
