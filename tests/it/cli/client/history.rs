//! `history` and `undo`: what was done, and taking it back.

use serde_json::json;

use super::{environment, json, reelshelf, three_films};
use crate::{on_both, support::program::run_with};

on_both! {
    async fn the_history_says_what_changed_field_by_field(service: &Service) {
        three_films(service).await;
        service.patch("/movie/1", &json!({"rating": 4, "title": "Heat!"})).await;
        let printed = reelshelf(service, &["history", "--limit", "2"]).expect(0).out;
        let expected = "\
4  2026-11-23 20:15 UTC  owner (token test)  changed 1 film
    ~ 1 Heat (1995, DVD): title Heat → Heat!, rating 5 → 4

3  2026-11-23 20:15 UTC  owner (token test)  added 1 film
    + 3 Alien 3 (1992, DVD)
";
        assert_eq!(printed, expected);
        let of_heat = json(&reelshelf(service, &["history", "heat", "--json"]).expect(0));
        assert_eq!(of_heat, service.get("/movie/1/history").await.json());
        assert_eq!(json(&reelshelf(service, &["history", "1", "--json", "--all"]).expect(0)), of_heat);
        service.delete("/movie/1").await;
        assert!(reelshelf(service, &["history", "1"]).expect(0).out.contains("- 1 Heat! (1995, DVD)"));
        let several = reelshelf(service, &["history", "alien"]).expect(1).err;
        assert!(several.contains("these are 2 films; give the id of one\n"), "{several}");
        assert!(reelshelf(service, &["history", "99"]).expect(1).err.starts_with("reelshelf: "));
        reelshelf(service, &["history", "--limit", "0"]).expect(2);
    }
}

on_both! {
    async fn a_long_history_comes_whole_if_that_is_wanted(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        for n in 0..120 {
            service.patch("/movie/1", &json!({"rating": 1 + n % 2})).await;
        }
        let length = |arguments: &[&str]| {
            json(&reelshelf(service, &[&["history", "--json"], arguments].concat()).expect(0)).as_array().map(Vec::len)
        };
        assert_eq!(length(&[]), Some(20));
        assert_eq!(length(&["--limit", "101"]), Some(101));
        assert_eq!(length(&["--all"]), Some(121));
    }
}

on_both! {
    async fn undo_takes_back_the_last_change_of_ones_own_that_is_still_there(service: &Service) {
        reelshelf(service, &["undo"]).refused("editor has no change to undo");
        reelshelf(service, &["edit", "1", "--rating", "1"]).refused("there is no movie 1");
        let add = ["add", "--title", "Stalker", "--year", "1979", "--format", "VHS", "--length", "163", "--rating", "5"];
        reelshelf(service, &add).expect(0);
        reelshelf(service, &["edit", "1", "--rating", "1"]).expect(0);
        service.add("Heat", "DVD", 170, 1995, 5).await; // by another user

        let first = reelshelf(service, &["undo"]).expect(0).out;
        assert!(first.starts_with("Undid change 2, as change 4. It was:\n2 "), "{first}");
        assert!(first.contains("~ 1 Stalker (1979, VHS): rating 5 → 1"), "{first}");
        assert_eq!(json(&reelshelf(service, &["undo", "--json"]).expect(0))["undoes"], 1);
        reelshelf(service, &["undo"]).refused("editor has no change to undo");
        assert_eq!(service.titles("/movie").await, ["Heat"]);
        reelshelf(service, &["undo", "4"]).refused("conflict: 5");
        reelshelf(service, &["undo", "1"]).refused("undone by change 5");
        reelshelf(service, &["undo", "99"]).refused("there is no change 99");
        reelshelf(service, &["undo", "0"]).expect(2);
    }
}

on_both! {
    async fn a_change_is_told_by_what_it_did_in_the_time_of_this_machine(service: &Service) {
        three_films(service).await;
        reelshelf(service, &["edit", "alien", "--rating", "3", "--yes"]).expect(0);
        reelshelf(service, &["rm", "alien", "--yes"]).expect(0);
        reelshelf(service, &["undo"]).expect(0);
        let printed = reelshelf(service, &["history"]).expect(0).out;
        for words in ["  undid change 5 of 2 films\n", "  deleted 2 films, undone by change 6\n", "  changed 2 films\n"] {
            assert!(printed.contains(words), "{words}: {printed}");
        }
        let mut elsewhere = environment(service);
        elsewhere[2] = ("TZ", "Asia/Tokyo");
        let printed = run_with(&["history", "--limit", "1"], &elsewhere).expect(0).out;
        assert!(printed.contains("2026-11-24 05:15 JST"), "{printed}");
    }
}
