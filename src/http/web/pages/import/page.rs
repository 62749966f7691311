//! `/import`: asks for what the file lacks, previews the rows, and imports the films.

use std::fs::File;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{choices::Choices, input::Input, outcome::Outcome, questions, sent::Sent};
use crate::{
    documents::{OnError, Report},
    domain::{ChangeId, Code, Invalid},
    exchange::{self, FileKind, ImportOptions},
    http::{
        Shared,
        problem::Problem,
        web::parts::{page_context::PageContext, words},
    },
    service::{Editor, Error, IdempotencyKey, import},
};

/// The form, with the preview of a file.
#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage<'a> {
    context: Option<&'a PageContext>,
    choices: Choices,
    /// The name of the uploaded file, and its content if it is sent along with the form.
    name: &'a str,
    kept: &'a str,
    /// Whether the file must be chosen again.
    lost: bool,
    /// Why the file cannot be read, or that it is missing.
    error: Option<String>,
    outcome: Option<Outcome>,
    /// Whether an import was requested and aborted.
    aborted: bool,
    /// Whether the file is the archive of an account.
    is_archive: bool,
    /// The idempotency key of the import.
    once: String,
}

impl ImportPage<'_> {
    /// Returns whether the user must choose the column of the title first.
    fn asks_title(&self) -> bool {
        self.error.is_none() && !self.choices.has_title()
    }

    /// Describes the file.
    fn recognised(&self) -> String {
        self.choices
            .survey
            .as_ref()
            .map(|survey| questions::recognised(survey, self.name))
            .unwrap_or_default()
    }

    /// Returns whether anything would be imported with these options.
    fn stores(&self) -> bool {
        let aborts = self.choices.on_error() == OnError::Abort;
        self.outcome.as_ref().is_some_and(|outcome| outcome.stores && !(aborts && outcome.failed > 0))
    }
}

/// The result of an import.
#[derive(Template)]
#[template(path = "imported.html")]
struct Imported<'a> {
    context: Option<&'a PageContext>,
    name: &'a str,
    outcome: Outcome,
    /// The change, and the label of its undo button.
    change: Option<(ChangeId, String)>,
}

impl<'a> ImportPage<'a> {
    fn of(context: &'a PageContext, choices: Choices, sent: &'a Sent) -> Self {
        let lost = sent.file.is_some() && sent.kept.is_empty() && sent.form.get("fileStays").is_empty();
        let once = format!("{:016x}", rand::random::<u64>());
        Self {
            context: Some(context),
            choices,
            name: &sent.name,
            kept: &sent.kept,
            lost,
            error: None,
            outcome: None,
            aborted: false,
            is_archive: false,
            once,
        }
    }
}

pub async fn show(_: Editor, context: PageContext) -> Result<Response, Problem> {
    let sent = Sent::default();
    context.page(StatusCode::OK, &ImportPage::of(&context, Choices::of(&sent.form), &sent))
}

/// Shows the preview, or imports the file if requested.
pub async fn send(
    State(state): State<Shared>,
    editor: Editor,
    context: PageContext,
    sent: Sent,
) -> Result<Response, Problem> {
    let mut page = ImportPage::of(&context, Choices::of(&sent.form), &sent);
    let imports = sent.form.get("do") == "import";
    match read(&state, &editor, &sent, &mut page, imports).await {
        Ok(Some((outcome, change))) => {
            let done = Imported { context: Some(&context), name: &sent.name, outcome, change };
            return context.page(StatusCode::OK, &done);
        }
        Ok(None) => {}
        Err(Error::UnreadableFile(invalid)) => page.error = Some(invalid.reason.without_hints()),
        Err(error) => return Err(error.into()),
    }
    let refused = imports || page.error.is_some() || !page.choices.errors.is_empty();
    context.page(if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}

/// Reads the file into the page. Imports it if requested and possible, and returns the result.
async fn read(
    state: &Shared,
    editor: &Editor,
    sent: &Sent,
    page: &mut ImportPage<'_>,
    imports: bool,
) -> Result<Option<(Outcome, Option<(ChangeId, String)>)>, Error> {
    let Some(file) = &sent.file else {
        return Err(Error::UnreadableFile(Invalid::new(Code::Required, "choose a file first")));
    };
    let input = Input::open(state, editor, &sent.name, file, page.choices.with_watchlist()).await?;
    page.is_archive = input.is_archive();
    if input.kind == FileKind::Csv && !input.is_archive() {
        page.choices.guess_encoding(input.again()?).map_err(import::unreadable)?;
        let columns = exchange::table(input.again()?, page.choices.encoding());
        page.choices.take_columns(columns.map_err(Error::UnreadableFile)?);
        if !page.choices.has_title() {
            return Ok(None);
        }
    }
    let reading = match page.choices.reading() {
        Ok(reading) => input.options(reading),
        Err(errors) => {
            page.choices.errors = errors;
            return Ok(None);
        }
    };
    page.choices.survey =
        Some(import::survey(&state.app, editor, input.again()?, input.kind, reading).await?);
    let options = match page.choices.options() {
        Ok(options) => input.options(options),
        Err(errors) => {
            page.choices.errors = errors;
            return Ok(None);
        }
    };
    let others = page.choices.survey.as_ref().map(|survey| survey.others);
    let tried = preview(state, editor, input.again()?, input.kind, options.clone()).await?;
    let (guessed_encoding, rating_scale) = (page.choices.guessed_encoding(), page.choices.rating_scale);
    let located = |report| {
        let mut outcome = Outcome::of(report, others);
        outcome.guessed_encoding = guessed_encoding;
        outcome.rating_scale = rating_scale;
        outcome.leaves_out_watchlist = input.leaves_out_watchlist();
        outcome.locate(&input);
        outcome
    };
    page.outcome = Some(located(tried));
    if !imports {
        return Ok(None);
    }
    // Even if nothing would be stored it is imported, so that a repeated request gets the same response.
    match import::import(&state.app, editor, input.again()?, input.kind, options, sent.key()).await {
        Ok(report) => {
            let films = report.created + report.updated;
            let change = report.change.map(|change| (change, words::undo(films)));
            Ok(Some((located(report), change)))
        }
        Err(Error::ImportAborted(_)) => {
            page.aborted = true;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns the result of each row, whether or not others are rejected.
async fn preview(
    state: &Shared,
    editor: &Editor,
    file: File,
    kind: FileKind,
    options: ImportOptions,
) -> Result<Report, Error> {
    let tried = ImportOptions { dry_run: true, on_error: OnError::Skip, ..options };
    import::import(&state.app, editor, file, kind, tried, IdempotencyKey::default()).await
}
