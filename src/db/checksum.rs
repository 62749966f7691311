//! Checksums of movies, stored in their rows.

use crate::domain::{Attributes, MovieId};

/// Returns the CRC-32 of a movie's id and attributes.
pub(super) fn checksum(id: MovieId, attributes: &Attributes) -> i64 {
    let Attributes { title, movie_format, length, release_year, rating } = attributes;
    let mut sum = crc32fast::Hasher::new();
    for number in [id.get(), length.get(), release_year.get(), rating.get()] {
        sum.update(&number.to_le_bytes());
    }
    sum.update(movie_format.as_str().as_bytes());
    sum.update(&[0]);
    sum.update(title.as_str().as_bytes());
    sum.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Length, MovieFormat, Rating, ReleaseYear, Title};

    #[test]
    fn every_attribute_and_the_id_change_it_and_it_stays_what_it_was() {
        let heat = Attributes {
            title: Title::parse("Heat").unwrap(),
            movie_format: MovieFormat::Dvd,
            length: Length::try_from(170).unwrap(),
            release_year: ReleaseYear::try_from(1995).unwrap(),
            rating: Rating::try_from(5).unwrap(),
        };
        let all = [
            (1, heat.clone()),
            (2, heat.clone()),
            (1, Attributes { title: Title::parse("heat").unwrap(), ..heat.clone() }),
            (1, Attributes { movie_format: MovieFormat::Vhs, ..heat.clone() }),
            (1, Attributes { length: Length::try_from(171).unwrap(), ..heat.clone() }),
            (1, Attributes { release_year: ReleaseYear::try_from(1996).unwrap(), ..heat.clone() }),
            (1, Attributes { rating: Rating::try_from(4).unwrap(), ..heat }),
        ];
        let sums: Vec<i64> =
            all.iter().map(|(id, attributes)| checksum(MovieId::from_stored(*id), attributes)).collect();
        assert_eq!(sums.iter().collect::<std::collections::HashSet<_>>().len(), sums.len());
        assert_eq!(sums[0], 3_804_179_942, "databases hold it");
    }
}
