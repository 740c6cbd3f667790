import ClusterModel
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SchemeSimulationTests {
    @Test func eightNodesAndOneMore() throws {
        let rows = try SchemeSimulation(nodes: 8, adding: 1).rows
        #expect(
            rows.map { $0.scheme.split(separator: " ")[0].replacing(",", with: "") } == [
                "hash", "ring", "ring", "ring", "range", "list",
            ])
        for row in rows {
            #expect(row.ideal == 1.0 / 9)
            #expect(row.moved > 0)
            #expect(row.metadataBytes > row.shardsAfter * 20)
            if row.scheme != "ring --vnodes 1" {
                #expect(row.moved <= row.ideal * 1.2)
                #expect(row.skewBefore < 1.1 && row.skewAfter < 1.5)
            }
        }
        // Plain consistent hashing is what virtual nodes mend.
        #expect(rows[1].skewBefore > rows[2].skewBefore)
        #expect(rows[3].metadataBytes > rows[2].metadataBytes)
        #expect(try SchemeSimulation(nodes: 8, adding: 1).rows == rows)
    }

    @Test func nothingMovesWhenNothingJoins() throws {
        for row in try SchemeSimulation(nodes: 5, adding: 0, weights: [1, 2]).rows {
            #expect(row.moved == 0 && row.ideal == 0)
            #expect(row.shardsBefore == row.shardsAfter)
            #expect(row.skewBefore == row.skewAfter)
        }
    }

    @Test(arguments: [(0, 1), (1001, 0), (3, -1), (3, 1001)])
    func badQuestionsAreRefused(nodes: Int, adding: Int) {
        #expect(throws: SchemeProblem.self) { try SchemeSimulation(nodes: nodes, adding: adding) }
    }
}
