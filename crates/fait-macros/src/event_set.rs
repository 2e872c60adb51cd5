//! `#[derive(EventSet)]`: an enum of events that is the match, the query and the subscription.

use crate::args::Args;
use crate::problems::Problems;
use crate::set::{Kind, Set};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Path};

const KIND: Kind = Kind {
    derive: "EventSet",
    one: "one event",
    example: "OrderPlaced",
};

/// `impl EventSet` and the conversions.
pub(crate) fn expand(input: DeriveInput) -> TokenStream {
    let mut problems = Problems::default();
    let (owner, name) = ("#[event_set]", "event_set");
    let mut args = Args::of_attributes(owner, &["crate"], &input.attrs, name, &mut problems);
    let krate = args.krate(&mut problems);
    let set = Set::read(&KIND, input, &mut problems);
    let code = set.map(|set| code(&set, &krate));
    let errors = problems.into_tokens();
    quote!(#code #errors)
}

fn code(set: &Set, krate: &Path) -> TokenStream {
    let Set {
        name,
        variants,
        types,
        rest,
    } = set;
    let event = quote!(#krate::event);
    let of = |ty: &syn::Type| quote_spanned!(ty.span()=> <#ty as #krate::event::EventSet>);
    let sets: Vec<TokenStream> = types.iter().map(of).collect();
    let parts: Vec<TokenStream> = sets.iter().map(|set| quote!(#set::TYPES)).collect();
    let names = set.names(&parts);
    let froms = set.froms();
    // A constant of their own makes every build compute the names: one given twice stops it.
    quote! {
        const _: () = {
            const NAMES: &[&str] = #names;
            #[automatically_derived]
            impl #event::EventSet for #name {
                const TYPES: &'static [&'static str] = NAMES;
                fn tags(&self) -> ::std::vec::Vec<#event::Tag> {
                    match self {
                        #(Self::#variants(one) => #sets::tags(one),)*
                        #rest
                    }
                }
                fn decode(
                    event: &#event::StoredEvent,
                ) -> ::core::result::Result<::core::option::Option<Self>, #event::DecodeError> {
                    #(
                        if let ::core::option::Option::Some(one) = #sets::decode(event)? {
                            return ::core::result::Result::Ok(
                                ::core::option::Option::Some(Self::#variants(one)),
                            );
                        }
                    )*
                    ::core::result::Result::Ok(::core::option::Option::None)
                }
                fn encode(&self) -> ::core::result::Result<#event::Draft, #event::EncodeError> {
                    match self {
                        #(Self::#variants(one) => #sets::encode(one),)*
                        #rest
                    }
                }
                fn defs() -> ::std::vec::Vec<#event::EventDef> {
                    let mut defs = ::std::vec::Vec::new();
                    #(defs.extend(#sets::defs());)*
                    defs
                }
                fn codes() -> ::std::vec::Vec<#event::EventCode> {
                    let mut codes = ::std::vec::Vec::new();
                    #(codes.extend(#sets::codes());)*
                    codes
                }
            }
        };
        #froms
    }
}
