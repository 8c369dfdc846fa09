import { graphql } from 'relay-runtime';

// On a Node type: what is refetched is asked of `node(id:)`.
export const row = graphql`
  fragment CardRow_card on Card
  @argumentDefinitions(count: {type: "Int", defaultValue: 3}, cursor: {type: "String"})
  @refetchable(queryName: "CardRowPrintingsQuery") {
    name
    set {
      name
    }
    printings(first: $count, after: $cursor) @connection(key: "CardRow_card_printings") {
      edges {
        node {
          collectorNumber
        }
      }
    }
  }
`;
