// Queries to start from, one a tab. The card's name is one of the demo market; each query is true of any store.

export const EXAMPLES = [
    {
        title: "Search cards",
        query: `# Cards with this word in their name, the dearest first.
query SearchCards {
  cards(
    search: "ember"
    sort: { field: PRICE, direction: DESC }
    first: 5
  ) {
    totalCount
    nodes {
      name
      collectorNumber
      rarity
      set { code name }
      price { price currency }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    },
    {
        title: "A card and its prices",
        query: `# One card by nearly its name: its price now, and who asks or pays what.
query CardPrices {
  card(by: { fuzzyName: "ember eyed mirefang of survoss" }) {
    name
    set { code name }
    finishes
    price {
      price low high observedAt
      change7d { amount percent }
    }
    asked: marketPrices {
      marketplace { name } currency finish price
    }
    paid: marketPrices(kind: BUYLIST) {
      marketplace { name } currency finish price
    }
  }
}
`,
    },
    {
        title: "The price history of a card",
        query: `# How its price got there, newest week first; "after" takes endCursor.
query PriceHistory {
  card(by: { fuzzyName: "ember eyed mirefang of survoss" }) {
    name
    priceHistory(window: DAYS_90, interval: WEEK, first: 9) {
      totalCount
      nodes { time price low high }
      pageInfo { hasNextPage endCursor }
    }
  }
}
`,
    },
    {
        title: "Sets and their dearest cards",
        query: `# The newest sets, each with its three dearest cards.
query Sets {
  cardSets(first: 5) {
    nodes {
      code
      name
      releasedOn
      cardCount
      cards(
        first: 3
        sort: { field: PRICE, direction: DESC }
      ) {
        nodes { name price { price } }
      }
    }
  }
}
`,
    },
    {
        title: "Marketplaces",
        query: `# Whose prices are known, and how new they are.
query Marketplaces {
  marketplaces {
    slug
    name
    currency
    pricedCards
    updatedAt
  }
}
`,
    },
];
