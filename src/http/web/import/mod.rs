//! `/import`: a file of films; first what would become of each row, then, when that is well, the films.

mod choices;
mod outcome;
mod sent;

use std::{fs::File, io::Read};

use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    response::Response,
    routing::get,
};

use self::{choices::Choices, outcome::Outcome, sent::Sent};
use super::visitor::Visitor;
use crate::{
    exchange::{self, FileKind, ImportOptions, OnError, Report},
    http::{Shared, problem::Problem, spool::Spooled},
    service::{Editor, Error, Once, import},
};

/// The form, with what would become of the rows of a file where there is one.
#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage<'a> {
    visitor: Option<&'a Visitor>,
    choices: Choices,
    /// The name of the file that was sent, and the file itself where it goes along with the form.
    name: &'a str,
    kept: &'a str,
    /// Whether a file was sent that has to be chosen again.
    lost: bool,
    /// Why the file cannot be read, or that there is none.
    error: Option<String>,
    outcome: Option<Outcome>,
    /// Whether the import was asked for, and nothing was stored.
    aborted: bool,
    /// By what the import is known when it is sent again.
    once: String,
}

/// What an import did.
#[derive(Template)]
#[template(path = "imported.html")]
struct Imported<'a> {
    visitor: Option<&'a Visitor>,
    name: &'a str,
    outcome: Outcome,
    change: Option<i64>,
}

/// The routes of the page, for editors.
pub fn routes() -> Router<Shared> {
    // How large a file may be is for `Spool` to say.
    Router::new().route("/import", get(show).post(send)).layer(DefaultBodyLimit::disable())
}

impl<'a> ImportPage<'a> {
    fn of(visitor: &'a Visitor, choices: Choices, sent: &'a Sent) -> Self {
        let lost = sent.file.is_some() && sent.kept.is_empty() && sent.form.get("fileStays").is_empty();
        let once = format!("{:016x}", rand::random::<u64>());
        Self {
            visitor: Some(visitor),
            choices,
            name: &sent.name,
            kept: &sent.kept,
            lost,
            error: None,
            outcome: None,
            aborted: false,
            once,
        }
    }
}

async fn show(_: Editor, visitor: Visitor) -> Result<Response, Problem> {
    let sent = Sent::default();
    visitor.page(StatusCode::OK, &ImportPage::of(&visitor, Choices::of(&sent.form), &sent))
}

/// Shows what would become of the rows, or where that was asked for, imports them.
async fn send(
    State(state): State<Shared>,
    editor: Editor,
    visitor: Visitor,
    sent: Sent,
) -> Result<Response, Problem> {
    let mut page = ImportPage::of(&visitor, Choices::of(&sent.form), &sent);
    let Some(file) = &sent.file else {
        page.error = Some("Choose a file first".to_owned());
        return visitor.page(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let kind = kind_of(&sent.name, file)?;
    if kind == FileKind::Csv {
        let encoding = page.choices.encoding();
        page.choices.columns =
            exchange::columns(file.again().map_err(unreadable)?, encoding).unwrap_or_default();
    }
    let options = match page.choices.options() {
        Ok(options) => options,
        Err(errors) => {
            page.choices.errors = errors;
            return visitor.page(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let imports = sent.form.get("do") == "import";
    if imports {
        match import::import(
            &state.app,
            &editor,
            file.again().map_err(unreadable)?,
            kind,
            options.clone(),
            sent.once(),
        )
        .await
        {
            Ok(report) => {
                let change = report.change;
                let outcome = Outcome::of(report);
                let done = Imported { visitor: Some(&visitor), name: &sent.name, outcome, change };
                return visitor.page(StatusCode::OK, &done);
            }
            Err(Error::ImportAborted(_)) => page.aborted = true,
            Err(Error::UnreadableFile(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match preview(&state, &editor, file.again().map_err(unreadable)?, kind, options).await {
        Ok(report) => {
            page.choices.meet(&report);
            page.outcome = Some(Outcome::of(report));
        }
        Err(Error::UnreadableFile(why)) => page.error = Some(outcome::plain(&why).to_owned()),
        Err(error) => return Err(error.into()),
    }
    let refused = imports || page.error.is_some();
    visitor.page(if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}

/// What would become of each row, whether or not others are refused.
async fn preview(
    state: &Shared,
    editor: &Editor,
    file: File,
    kind: FileKind,
    options: ImportOptions,
) -> Result<Report, Error> {
    let tried = ImportOptions { dry_run: true, on_error: OnError::Skip, ..options };
    import::import(&state.app, editor, file, kind, tried, Once::default()).await
}

/// The kind of a file, from its name or else from how it begins.
fn kind_of(name: &str, file: &Spooled) -> Result<FileKind, Problem> {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    match ending.as_str() {
        "csv" | "tsv" => return Ok(FileKind::Csv),
        "ndjson" | "jsonl" => return Ok(FileKind::Ndjson),
        _ => {}
    }
    let mut start = Vec::new();
    file.again().map_err(unreadable)?.take(4096).read_to_end(&mut start).map_err(unreadable)?;
    // What is no text is told by who reads it.
    Ok(FileKind::sniff(&start).unwrap_or(FileKind::Csv))
}

#[expect(clippy::needless_pass_by_value, reason = "so that it can be passed to map_err")]
fn unreadable(error: std::io::Error) -> Error {
    Error::Failed(format!("a spooled file could not be read: {error}"))
}
