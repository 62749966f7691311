//! `edit` and `rm`: changing films, one or several.

use serde_json::json;

use super::{environment, json, reelshelf, three_films};
use crate::{on_both, support::terminal::Terminal};

on_both! {
    async fn one_film_is_changed_and_deleted_at_once(service: &Service) {
        three_films(service).await;
        let edited = reelshelf(service, &["edit", "heat", "--rating", "4", "--length", "2:51"]).expect(0);
        assert_eq!(edited.out, "Changed 1 Heat (1995, DVD). `reelshelf undo 4` undoes it.\n");
        let heat = service.get("/movie/1").await.json();
        assert_eq!((&heat["rating"], &heat["length"], &heat["version"]), (&json!(4), &json!(171), &json!(2)));
        let same = reelshelf(service, &["edit", "1", "--rating", "4"]).expect(0);
        assert_eq!(same.out, "Nothing to change.\n");
        let gone = reelshelf(service, &["rm", "1"]).expect(0);
        assert_eq!(gone.out, "Deleted 1 Heat (1995, DVD). `reelshelf undo 5` undoes it.\n");
        reelshelf(service, &["rm", "1"]).refused("there is no movie 1");
        reelshelf(service, &["undo"]).expect(0);
        assert_eq!(service.titles("/movie").await, ["Heat", "Alien", "Alien 3"]);
    }
}

on_both! {
    async fn several_films_need_consent_and_are_one_change(service: &Service) {
        three_films(service).await;
        let asked = reelshelf(service, &["edit", "alien", "--format", "streaming"]).expect(1);
        assert_eq!(asked.out, "");
        for words in ["2 Alien (1979, VHS)    format VHS → Streaming\n", "3 Alien 3 (1992, DVD)  format DVD → Streaming\n", "2 films would be changed; --yes agrees"] {
            assert!(asked.err.contains(words), "{words:?}: {}", asked.err);
        }
        assert_eq!(service.get("/movie/2").await.json()["version"], 1);

        let agreed = reelshelf(service, &["edit", "alien", "--format", "streaming", "--yes", "--json"]).expect(0);
        let done = json(&agreed);
        assert_eq!((&done["change"], &done["results"][1]["movie"]["movieFormat"]), (&json!(4), &json!("Streaming")));
        let removed = reelshelf(service, &["rm", "3", "2", "-y"]).expect(0);
        assert_eq!(removed.out, "Deleted 2 films. `reelshelf undo 5` undoes it.\n");
        assert_eq!(service.titles("/movie").await, ["Heat"]);
        reelshelf(service, &["undo", "5"]).expect(0);
        assert_eq!(service.titles("/movie").await, ["Heat", "Alien", "Alien 3"]);
    }
}

on_both! {
    async fn a_query_without_a_word_selects_nothing(service: &Service) {
        three_films(service).await;
        for blank in ["", "  ", "\u{a0}"] {
            for command in [&["rm", blank, "--yes"][..], &["rm", "--by-title", blank, "-y"], &["rm", blank, blank, "-y"],
                            &["edit", blank, "--rating", "1", "--yes"], &["show", blank]] {
                reelshelf(service, command).refused("QUERY has no word");
            }
        }
        assert_eq!(service.titles("/movie").await, ["Heat", "Alien", "Alien 3"]);
    }
}

on_both! {
    async fn a_terminal_is_asked_before_several_films_are_touched(service: &Service) {
        three_films(service).await;
        let plain = [&environment(service)[..], &[("NO_COLOR", "1")]].concat();
        for (answer, status, left) in [("n", 1, 3), ("", 1, 3), ("\u{4}", 1, 3), ("y", 0, 1)] {
            let mut terminal = Terminal::start(80, &["rm", "alien"], &plain);
            terminal.await_text(" 2  Alien");
            terminal.answer("Delete these 2 films? [y/N]", answer);
            terminal.ended().expect(status);
            assert_eq!(service.titles("/movie").await.len(), left, "{answer:?}");
        }
    }
}

on_both! {
    async fn what_is_another_film_by_now_is_left_alone_and_named(service: &Service) {
        three_films(service).await;
        let mut terminal = Terminal::start(80, &["rm", "alien"], &environment(service));
        terminal.await_text("Delete these 2 films? [y/N]");
        service.patch("/movie/3", &json!({"rating": 1})).await;
        terminal.type_keys("y\n");
        let refused = terminal.ended().expect(1).out;
        assert!(refused.contains("3 Alien 3 (1992, DVD) was changed meanwhile; nothing was changed"), "{refused}");

        let mut terminal = Terminal::start(80, &["edit", "alien", "--rating", "5"], &environment(service));
        terminal.await_text("Change these 2 films? [y/N]");
        service.delete("/movie/2").await;
        terminal.type_keys("y\n");
        let refused = terminal.ended().expect(1).out;
        assert!(refused.contains("2 Alien (1979, VHS) was deleted meanwhile; nothing was changed"), "{refused}");
        assert_eq!(service.titles("/movie").await, ["Heat", "Alien 3"]);
    }
}

on_both! {
    async fn what_cannot_be_meant_is_wrong_usage(service: &Service) {
        three_films(service).await;
        for wrong in [
            &["edit", "1"][..], &["edit", "--rating", "5"], &["edit", "1", "--rating", "6"], &["edit", "1", "--title", ""],
            &["edit", "1", "--length", "501"], &["edit", "1", "--year", "x"], &["rm"],
        ] {
            assert!(!reelshelf(service, wrong).expect(2).err.is_empty());
        }
        assert_eq!(service.get("/history").await.json().as_array().map(Vec::len), Some(3));
    }
}

on_both! {
    async fn edit_asks_with_the_present_values(service: &Service) {
        three_films(service).await;
        let mut terminal = Terminal::start(80, &["edit", "heat"], &environment(service));
        terminal.answer("Title [Heat]:", "");
        terminal.answer("Release year [1995]:", "1799");
        terminal.await_text("It must be between 1800 and 2100, got 1799.");
        terminal.answer("Release year [1995]:", "1996");
        terminal.answer("Format [DVD]:", "");
        terminal.answer("Length [2 h 50]:", "2:51");
        terminal.answer("Rating [5]:", "5");
        assert!(terminal.ended().expect(0).out.contains("Changed 1 Heat (1995, DVD)."));
        let heat = service.get("/movie/1").await.json();
        assert_eq!((&heat["title"], &heat["releaseYear"], &heat["length"]), (&json!("Heat"), &json!(1996), &json!(171)));

        let several = Terminal::start(80, &["edit", "alien"], &environment(service)).ended().expect(1).out;
        assert!(several.contains("these are 2 films; give the id of one"), "{several}");
        let mut terminal = Terminal::start(80, &["edit", "2"], &environment(service));
        for field in ["Title", "Release year", "Format", "Length", "Rating"] {
            terminal.answer(field, "");
        }
        assert!(terminal.ended().expect(0).out.contains("Nothing to change."));
        let program = reelshelf(service, &["edit", "heat"]).expect(2).err;
        assert!(program.contains("--title, --year, --format, --length or --rating"), "{program}");
    }
}
