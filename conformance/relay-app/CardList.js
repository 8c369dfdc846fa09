import { graphql } from 'relay-runtime';

export const query = graphql`
  query CardListQuery($search: String) {
    ...CardList_query @arguments(search: $search)
  }
`;

export const list = graphql`
  fragment CardList_query on Query
  @argumentDefinitions(
    search: {type: "String"}
    count: {type: "Int", defaultValue: 10}
    cursor: {type: "String"}
  )
  @refetchable(queryName: "CardListPageQuery") {
    cards(search: $search, first: $count, after: $cursor) @connection(key: "CardList_query_cards") {
      edges {
        node {
          id
          ...CardRow_card
        }
      }
    }
  }
`;
