//! The values typed into the form of a film.

use crate::{
    domain::{
        Attributes, Code, Field, Invalid, Length, MovieFormat, PerField, Rating, ReleaseYear, Title, quoted,
        whole,
    },
    format,
    http::extract::form::Form,
};

/// The values of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormValues(pub PerField<String>);

/// An invalid field, with advice.
pub struct Wrong {
    pub field: Field,
    pub sentence: &'static str,
    /// By how many characters a title is too long.
    excess: usize,
}

impl FormValues {
    pub fn of(form: &Form) -> Self {
        Self(PerField::from_fn(|field| form.get(field.as_str()).to_owned()))
    }

    /// Returns the values of a film.
    pub fn from(film: &Attributes) -> Self {
        Self(PerField {
            title: film.title.as_str().to_owned(),
            movie_format: film.movie_format.as_str().to_owned(),
            length: match film.length.get() {
                0 => "0".to_owned(), // as one writes an unknown length
                minutes => format::length(minutes),
            },
            release_year: film.release_year.get().to_string(),
            rating: film.rating.get().to_string(),
        })
    }

    /// Returns the value of a field.
    pub fn get(&self, field: &str) -> &str {
        Field::parse(field).map_or("", |field| &self.0[field])
    }

    pub fn title(&self) -> Result<Title, Invalid> {
        Title::parse(&self.0.title)
    }

    pub fn length(&self) -> Result<Length, Invalid> {
        given(&self.0.length).and_then(Length::parse).map(|(length, _)| length)
    }

    pub fn release_year(&self) -> Result<ReleaseYear, Invalid> {
        given(&self.0.release_year).and_then(number).and_then(ReleaseYear::try_from)
    }

    /// Parses the film, or returns all violations.
    pub fn read(&self) -> Result<Attributes, Vec<Wrong>> {
        let format = chosen(&self.0.movie_format).and_then(MovieFormat::parse);
        let rating = chosen(&self.0.rating).and_then(number).and_then(Rating::try_from);
        let (title, length, year) = (self.title(), self.length(), self.release_year());
        match (title, format, length, year, rating) {
            (Ok(title), Ok(movie_format), Ok(length), Ok(release_year), Ok(rating)) => {
                Ok(Attributes { title, movie_format, length, release_year, rating })
            }
            (title, format, length, year, rating) => {
                let is_wrong = PerField {
                    title: title.is_err(),
                    movie_format: format.is_err(),
                    length: length.is_err(),
                    release_year: year.is_err(),
                    rating: rating.is_err(),
                };
                let wrong = Field::ALL.into_iter().filter(|field| is_wrong[*field]);
                Err(wrong.map(|field| self.wrong(field)).collect())
            }
        }
    }
}

impl FormValues {
    /// Describes the violation of a field.
    fn wrong(&self, field: Field) -> Wrong {
        let text = &self.0[field];
        let sentence = match field {
            Field::Title if text.trim().is_empty() => "Write the title.",
            Field::Title => "The title has a character that cannot be shown.",
            Field::MovieFormat => "Choose the format.",
            Field::Length if text.trim().is_empty() => "Write the length; 0 if you do not know it.",
            Field::Length if is_too_long(text) => "Write at most 500 minutes, which are 8 h 20.",
            Field::Length => "Write 170, 2:50 or 2h50.",
            Field::ReleaseYear => "Write a year from 1800 to 2100.",
            Field::Rating => "Choose 1 to 5 stars.",
        };
        let excess = if field == Field::Title { Title::excess(text) } else { 0 };
        Wrong { field, sentence, excess }
    }
}

/// Returns whether a text is a length above the maximum.
fn is_too_long(text: &str) -> bool {
    let is_over = |invalid: Invalid| invalid.code == Code::OutOfRange;
    !text.trim().starts_with('-') && Length::parse(text).is_err_and(is_over)
}

impl Wrong {
    pub fn sentence(&self) -> String {
        match self.excess {
            0 => self.sentence.to_owned(),
            excess => format!("Too long by {}.", format::count(excess, "character")),
        }
    }
}

fn given(text: &str) -> Result<&str, Invalid> {
    let text = text.trim();
    if text.is_empty() { Err(Invalid::new(Code::Empty, "must not be empty".to_owned())) } else { Ok(text) }
}

fn chosen(text: &str) -> Result<&str, Invalid> {
    if text.is_empty() { Err(Invalid::new(Code::Empty, "must be chosen".to_owned())) } else { Ok(text) }
}

fn number(text: &str) -> Result<i64, Invalid> {
    whole(text).ok_or_else(|| Invalid::new(Code::WrongType, "must be a whole number").got(quoted(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_that_is_there_reads_back_the_same() {
        for (minutes, year, rating) in
            (0..=500).zip((1800..=2100).cycle()).zip((1..=5).cycle()).map(|((m, y), r)| (m, y, r))
        {
            let film = Attributes {
                title: Title::parse("Heat").unwrap(),
                movie_format: MovieFormat::Dvd,
                length: minutes.try_into().unwrap(),
                release_year: year.try_into().unwrap(),
                rating: rating.try_into().unwrap(),
            };
            assert_eq!(FormValues::from(&film).read().ok(), Some(film));
        }
    }
}
