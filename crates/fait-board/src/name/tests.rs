use super::{field_name, kebab_name, rust_name};

#[test]
fn a_name_has_three_spellings() {
    for (plain, rust, field, kebab) in [
        (
            "Order placed",
            "OrderPlaced",
            "order_placed",
            "order-placed",
        ),
        (
            "Serve, then bill",
            "ServeThenBill",
            "serve_then_bill",
            "serve-then-bill",
        ),
        (
            "Sponsor's guest",
            "SponsorsGuest",
            "sponsors_guest",
            "sponsors-guest",
        ),
        ("pays first", "PaysFirst", "pays_first", "pays-first"),
        (
            "3 tries left",
            "_3TriesLeft",
            "_3_tries_left",
            "3-tries-left",
        ),
        (
            "Gäste gezählt",
            "GästeGezählt",
            "gäste_gezählt",
            "gäste-gezählt",
        ),
        (" ?! ", "", "", ""),
    ] {
        assert_eq!(rust_name(plain), rust);
        assert_eq!(field_name(plain), field);
        assert_eq!(kebab_name(plain), kebab);
    }
}

#[test]
fn the_same_words_are_the_same_name_however_joined() {
    for code in [
        "OrderPlaced",
        "order_placed",
        "orders.order-placed",
        "Order placed",
    ] {
        assert!(super::same("Order placed", code), "{code}");
    }
    for code in ["OrderPlace", "orders", "placed.order", ""] {
        assert!(!super::same("Order placed", code), "{code}");
    }
}
