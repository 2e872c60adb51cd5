//! The clauses have teeth: a store with a planted fault breaks each that is to find it.

use crate::wrapped::{Fault, Wrapped};
use fait_core::store::contract::{check, check_reopen};
use std::panic::catch_unwind;

/// Whether a clause panics. What it says is not shown for tests that pass.
fn bites(clause: impl FnOnce() + std::panic::UnwindSafe) -> bool {
    catch_unwind(clause).is_err()
}

/// One test for each clause: every one of its faults must be found, and without one it holds.
macro_rules! teeth {
    ($($module:ident::$clause:ident: $($fault:ident),+;)+) => {
        $(
            #[test]
            fn $clause() {
                use fait_core::store::contract::$module::$clause;
                check(|| Wrapped::new(Fault::None), $clause);
                for fault in [$(Fault::$fault),+] {
                    let bitten = bites(|| check(|| Wrapped::new(fault), $clause));
                    assert!(bitten, "{fault:?} was not found");
                }
            }
        )+
    };
}

/// The same over the clauses of stores that are opened again.
macro_rules! reopen_teeth {
    ($($clause:ident: $($fault:ident),+;)+) => {
        $(
            #[test]
            fn $clause() {
                use fait_core::store::contract::reopen::$clause;
                for fault in [$(Fault::$fault),+] {
                    let store = Wrapped::new(fault);
                    let bitten = bites(move || check_reopen(move || store.clone(), $clause));
                    assert!(bitten, "{fault:?} was not found");
                }
            }
        )+
    };
}

mod clauses {
    use super::{Fault, Wrapped, bites, check};

    teeth! {
        append::writers_of_their_own_streams_do_not_conflict:
            ConditionOnTheHead, ConditionIgnoresAfter;
        condition::a_condition_looks_only_behind_its_position: ConditionIgnoresAfter;
        condition::each_condition_has_its_own_position:
            ConditionIgnoresAfter, ConditionsShareAfter, ConditionIgnoresTags;
        condition::a_condition_may_name_types_only: ConditionIgnoresTypes, ConditionIgnoresAfter;
        condition::a_condition_may_name_tags_only: ConditionIgnoresTags, ConditionIgnoresAfter;
        condition::a_condition_sees_what_is_under_way: ConditionTooEarly;
        condition::accepted_appends_are_serialisable: ConditionIgnoresTags, ConditionIgnoresAfter;
        read::reads_stop_at_the_limit: ReadsExceedTheLimit;
        read::a_slice_names_its_head: HeadRunsAhead;
        slices::small_slices_give_everything_once: ReadsSkip, ReadsExceedTheLimit;
        slices::a_limit_of_0_counts_as_1: LimitOf0GivesNothing, ReadsRepeat;
        slices::backwards_reads_stay_between_their_bounds: BackwardsIgnoresAfter, ReadsSkip;
        slices::a_read_beside_a_writer_is_a_prefix: HeadRunsAhead;
        slices::an_unknown_type_selects_nothing: UnknownTypeIsAnyType, TypesByPrefix, OneItem;
        slices::many_events_are_selected_by_type: ReadsSkip, ReadsRepeat;
        slices::a_query_has_many_items: OneItem, OncePerTag;
        slices::an_event_with_many_tags_is_found_by_each: SixteenTags, OncePerTag;
        slices::a_tag_given_twice_selects_once: OncePerTag, TagsAreASet;
        slices::a_full_batch_is_one_append: LargeBatchInTwo;
        last::the_last_of_a_query_is_its_newest: LastIsHead, LastIsFirst;
        last::the_last_of_nothing_is_0: LastIsHead;
        last::the_last_moves_with_the_appends: LastIsHead, LastIsFirst;
        limit::names_are_of_any_script: NamesAreFolded;
        limit::names_of_255_bytes_fit: NamesTooShort, NamesAreCut;
        limit::the_type_of_the_erased_is_reserved: ReservedIsAccepted;
        wait::a_wait_ends_only_when_there_is_more: WaitEndsEarly;
        wait::each_wait_has_its_own_end: WaitEndsEarly;
        feed::a_feed_catches_up_and_goes_live: ReadsRepeat, ReadsSkip, WaitEndsEarly;
        feed::a_feed_has_no_gap_and_no_repetition: ReadsRepeat, HeadRunsAhead;
        feed::feeds_do_not_disturb_each_other: ReadsRepeat;
        feed::a_feed_keeps_its_limit: ReadsExceedTheLimit, ReadsRepeat;
        feed::a_feed_moves_on_without_a_match: HeadRunsAhead, WaitEndsEarly;
        feed::a_dropped_next_loses_nothing: WaitEndsEarly, ReadsRepeat;
        feed::a_feed_beyond_the_head_is_an_error: WaitEndsEarly, ReadsRepeat;
        feed::a_feed_goes_on_where_another_ended: ReadsRepeat;
        durability::receipts_name_one_durability: CommandsAreSynced;
        durability::a_repeated_receipt_names_the_same_durability: RepeatedIsSynced;
    }
}

mod erasures {
    use super::{Fault, Wrapped, bites, check};

    teeth! {
        erase::what_is_erased_reads_as_erased:
            ErasesNothing, ErasureKeepsType, ErasureKeepsTime, ErasureKeepsOrigin,
            ErasureLeavesAGap;
        erase::the_type_is_kept_or_not: ErasureKeepsType, ErasureLosesType;
        erase::the_time_is_kept_or_not: ErasureKeepsTime, ErasureLosesTime;
        erase::the_tombstone_stays: ErasesTheTombstone, ErasesNothing;
        erase::what_is_erased_is_not_selected_by_what_it_was: ErasureKeepsTags, ErasesNothing;
        erase::what_is_erased_is_selected_as_such: ErasureLeavesAGap, ErasureKeepsTags;
        erase::other_streams_stay_as_they_are: ErasureTakesOthers;
        erase::an_event_of_two_streams_goes_with_either: ErasureKeepsTags, ErasesNothing;
        erase::a_condition_on_the_erased_holds_again: ErasesNothing;
        erase::an_erased_event_is_known_by_its_id: ErasureForgetsIds, ErasesNothing;
        erase::receipts_outlive_an_erasure: ErasureForgetsReceipts;
        erase::an_erasure_sent_again_erases_nothing_more: ErasureCountsAgain, ErasesTheTombstone;
        erase::a_later_erasure_takes_what_came_since: ErasesNothing, ErasureKeepsType;
        erase::a_tombstone_without_the_tag_is_refused: ErasureMendsTombstone;
        erase::a_refused_erasure_erases_nothing: ErasureDespiteRefusal;
        erase::a_repeated_erasure_command_is_finished: ErasureIsNotFinished, ErasureCountsAgain;
        erase::a_feed_hears_of_an_erasure: ErasesTheTombstone, ErasureKeepsTags;
        erase::an_erasure_of_nothing_is_its_tombstone: ErasesTheTombstone, ErasureTakesOthers;
        erase::many_events_are_erased_at_once: ErasesNothing, ErasureTakesOthers;
        erase::an_erasure_beside_writers_ends_at_its_tombstone: ErasesNothing, ErasesTheTombstone;
    }
}

mod reopenings {
    use super::{Fault, Wrapped, bites, check_reopen};

    reopen_teeth! {
        what_is_erased_stays_erased: ErasureKeepsTags, ErasesNothing;
        an_erasure_is_known_again: ErasureForgetsIds, ErasureCountsAgain;
        appends_go_on_behind_an_erasure: ErasesNothing, ErasureCountsAgain;
        an_interrupted_erasure_is_finished: ErasureIsNotFinished;
        a_feed_goes_on_after_opening: ReadsRepeat;
        receipts_name_their_durability_again: KeptIsMemory, RepeatedIsSynced;
    }
}
