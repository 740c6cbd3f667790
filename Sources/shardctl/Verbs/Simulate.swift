import ArgumentParser
import ClusterModel

/// `shardctl simulate ...`
struct SimulateNoun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "What would be, computed here: no cluster is asked.",
        subcommands: [SimulateScheme.self])
}

/// `shardctl simulate scheme --nodes N --add N`
struct SimulateScheme: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheme", abstract: "Every scheme side by side when nodes join.",
        discussion: """
            MOVED is the share of all keys that changes its node, IDEAL what the newcomers should hold; SKEW is the largest \
            share of a node over the one its weight gives it, 1 = even.

            EXAMPLES:
              shardctl simulate scheme --nodes 8 --add 1
              shardctl simulate scheme --nodes 3 --add 2 --weights 1,1,2 -o json
            """)

    @Option(help: "Nodes there are.") var nodes = 8
    @Option(help: "Nodes that join, one after the other.") var add = 1
    @Option(help: "Weights of the nodes in turn; the last goes for all that follow.") var weights = "1"
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let numbers = weights.split(separator: ",").map { Double($0) }
        guard !numbers.isEmpty, numbers.allSatisfy({ $0 != nil }) else {
            throw ValidationError("--weights '\(weights)' is not a list of numbers such as 1,1,2")
        }
        let rows: [SchemeSimulation.Row]
        do {
            rows = try SchemeSimulation(nodes: nodes, adding: add, weights: numbers.compactMap { $0 }).rows
        } catch {
            throw ValidationError("\(error)")
        }
        if globals.isJSON { return try JSONOutput.write(rows) }
        print(Self.text(rows, colour: Terminal.takesColour), terminator: "")
    }

    static func text(_ rows: [SchemeSimulation.Row], colour: Bool) -> String {
        var table = Table([
            .left("SCHEME"), .left("MAPPING"), .right("SHARDS"), .right("MOVED"), .right("IDEAL"), .right("SKEW"),
            .right("METADATA"),
        ])
        for row in rows {
            table.add([
                .init(row.scheme), .init(row.mapping), "\(row.shardsBefore) -> \(row.shardsAfter)",
                .init(percent(row.moved)), .init(percent(row.ideal)),
                "\(hundredths(row.skewBefore)) -> \(hundredths(row.skewAfter))", "\(row.metadataBytes) B",
            ])
        }
        return table.render(colour: colour)
    }

    private static func percent(_ share: Double) -> String { "\(tenths(share * 100)) %" }
    private static func tenths(_ number: Double) -> Double { (number * 10).rounded() / 10 }
    private static func hundredths(_ number: Double) -> Double { (number * 100).rounded() / 100 }
}
