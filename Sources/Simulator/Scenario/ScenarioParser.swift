import ClusterModel

extension Scenario {
    /// Reads a scenario.
    public init(_ text: String) throws(ScenarioError) {
        world.keyspace.replicas = 3
        world.keyspace.minInSync = 2
        world.keyspace.scheme = SchemeParameters(kind: .hash, shards: 1)
        var hasBegun = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(separator: " ").map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            let reader = LineReader(number: index + 1, words: words)
            if !hasBegun, try set(reader) { continue }
            hasBegun = true
            if first == "order" {
                orders.append((words.dropFirst().joined(separator: " "), []))
                continue
            }
            // A command with its reply is two statements.
            var parts = [words]
            if let arrow = words.firstIndex(of: "->"), arrow > 1, let client = first.split(separator: "@").first {
                parts = [Array(words[..<arrow]), [String(client)] + words[arrow...]]
            }
            for part in parts {
                let statement = try LineReader(number: index + 1, words: part).statement()
                let parsed = Line(number: index + 1, text: part.joined(separator: " "), statement: statement)
                if orders.isEmpty { prologue.append(parsed) } else { orders[orders.count - 1].lines.append(parsed) }
            }
        }
        guard !law.isEmpty else { throw ScenarioError(line: 1, text: "a scenario names its law: law A1") }
        guard hasBegun else { throw ScenarioError(line: 1, text: "nothing happens in it") }
    }

    /// Takes a setting; false = the line is none.
    private mutating func set(_ line: LineReader) throws(ScenarioError) -> Bool {
        switch line.words[0] {
        case "law": law = try line.word(1)
        case "mutants":
            for name in line.words.dropFirst() {
                guard let mutant = Mutant(rawValue: name) else { throw line.error("'\(name)' is no mutant") }
                mutants.append(mutant)
            }
        case "seed": world.seed = UInt64(try line.number(1))
        case "nodes": world.nodes = try line.number(1)
        case "metas": world.metas = try line.number(1)
        case "replicas":
            let replicas = try line.number(1)
            world.keyspace.replicas = replicas
            world.keyspace.minInSync = replicas / 2 + 1
        case "min-in-sync": world.keyspace.minInSync = try line.number(1)
        case "shards": world.keyspace.scheme = SchemeParameters(kind: .hash, shards: try line.number(1))
        case "lease":
            world.leaseMillis = UInt64(try line.number(1))
            world.leases = try line.words.indices.dropFirst().map { place throws(ScenarioError) in
                UInt64(try line.number(place))
            }
        case "snapshot-every": world.snapshotEvery = UInt64(try line.number(1))
        case "down-after": world.downAfter = UInt64(try line.number(1))
        case "sync-interval": world.syncInterval = try line.time(1)
        case "backlog": world.backlogBytes = try line.number(1)
        case "way": world.wayBytes = try line.number(1)
        case "segment": world.segmentBytes = try line.number(1)
        case "flow":
            guard let flow = Flow(rawValue: try line.word(1)) else { throw line.error("a flow is fanout or chain") }
            world.keyspace.flow = flow
        case "ack":
            guard let ack = Ack(rawValue: try line.word(1)) else { throw line.error("an ack is all, majority or one") }
            world.keyspace.ack = ack
        case "read":
            guard let read = ReadMode(rawValue: try line.word(1)) else {
                throw line.error("a read is primary, any, nearest or secondary")
            }
            world.keyspace.read = read
        default: return false
        }
        return true
    }
}

/// One line of a scenario, word by word.
struct LineReader {
    var number: Int
    var words: [String]

    func error(_ text: String) -> ScenarioError { ScenarioError(line: number, text: text) }

    func word(_ place: Int) throws(ScenarioError) -> String {
        guard place < words.count else { throw error("a word is missing behind '\(words.joined(separator: " "))'") }
        return words[place]
    }

    func number(_ place: Int) throws(ScenarioError) -> Int {
        let text = try word(place)
        guard let number = Int(text), number >= 0 else { throw error("'\(text)' is no number") }
        return number
    }

    /// `500ms`, `5s`: ns.
    func time(_ place: Int) throws(ScenarioError) -> UInt64 {
        let text = try word(place)
        let units: [(String, UInt64)] = [("ms", 1_000_000), ("s", 1_000_000_000)]
        for (unit, scale) in units where text.hasSuffix(unit) {
            if let count = UInt64(text.dropLast(unit.count)), count < 1_000_000 { return count * scale }
        }
        throw error("'\(text)' is no time: 500ms, 5s")
    }

    /// As `time`, perhaps with a minus before it: ms.
    private func signedMillis(_ place: Int) throws(ScenarioError) -> Int64 {
        guard try word(place).hasPrefix("-") else { return Int64(try time(place) / 1_000_000) }
        var reader = self
        reader.words[place].removeFirst()
        return -Int64(try reader.time(place) / 1_000_000)
    }

    func way(_ place: Int) throws(ScenarioError) -> Scenario.Way {
        let text = try word(place)
        for mark in [">", "="] {
            let ends = text.split(separator: Character(mark), omittingEmptySubsequences: false).map(String.init)
            if ends.count == 2, !ends[0].isEmpty, !ends[1].isEmpty {
                return Scenario.Way(from: ends[0], to: ends[1], isBoth: mark == "=")
            }
        }
        throw error("'\(text)' is no way: P>S1, or P=S1 for both")
    }

    func condition(_ words: some Sequence<String>) throws(ScenarioError) -> Scenario.Condition {
        var words = Array(words)
        let isNegated = words.first == "not"
        if isNegated { words.removeFirst() }
        let known = ["primary", "serving", "unserved", "members", "epoch", "held", "up", "leads"]
        guard let first = words.first, known.contains(first) else {
            throw error("'\(words.joined(separator: " "))' is no condition: \(known.joined(separator: ", "))")
        }
        guard words.count > 1 || first == "unserved" else { throw error("'\(first)' of what?") }
        return Scenario.Condition(isNegated: isNegated, words: words)
    }

    func statement() throws(ScenarioError) -> Scenario.Statement {
        if let client = try clientStatement() { return client }
        switch words[0] {
        case "hold": return .hold(try way(1), try word(2), isLost: false)
        case "lose": return .hold(try way(1), try word(2), isLost: true)
        case "deliver": return .deliver(try way(1))
        case "cut": return .cut(try way(1))
        case "open": return .open(words.count > 1 ? try way(1) : nil)
        case "pause": return .pause(try word(1), try time(2))
        case "stall": return .stall(try word(1), try time(2))
        case "clock":
            guard let rate = Double(try word(2)), rate > 0.5, rate < 2 else { throw error("a rate is 0.5 to 2") }
            return .clock(try word(1), rate)
        case "wall": return .wall(try word(1), try signedMillis(2))
        case "kill": return .kill(try word(1))
        case "leave": return .leave(try word(1))
        case "power": return .power(try word(1))
        case "start": return .start(try word(1))
        case "rot":
            guard words.count == 2 || words.count == 3 && words[2] == "first" else {
                throw error("rot P, or rot P first")
            }
            return .rot(try word(1), isFirstAlone: words.count == 3)
        case "save": return .save(try word(1))
        case "copy": return .copy(try word(1), try word(2))
        case "restore": return .restore(try word(1))
        case "fill": return .fill(try word(1), try number(2))
        case "fail-sync": return .failSync(try word(1))
        case "mend": return .mend(try word(1))
        case "sync": return .sync(try word(1), try time(2))
        case "store": return .store(try word(1), try time(2))
        case "hand-over": return .handOver(try word(1))
        case "set": return .set(try word(1), try word(2))
        case "run": return .run(try time(1))
        case "await":
            guard let within = words.firstIndex(of: "within") else { throw error("await CONDITION within TIME") }
            return .await(try condition(words[1..<within]), try time(within + 1))
        case "expect": return .expect(try condition(words.dropFirst()))
        default: throw error("'\(words[0])' is no statement")
        }
    }

    /// `v*1000` is that `v` a thousand times.
    private static func written(out word: String) -> String {
        let parts = word.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let count = Int(parts[1]), count <= 1 << 20 else { return word }
        return String(repeating: String(parts[0]), count: count)
    }

    /// `c@P GET k`, `c -> v`, `c silent 1s`; a command with its reply is given as the sending, and read again for it.
    private func clientStatement() throws(ScenarioError) -> Scenario.Statement? {
        if words.count > 2, words[1] == "->" {
            return .reply(client: words[0], words.dropFirst(2).joined(separator: " "))
        }
        if words.count == 3, words[1] == "silent" { return .silent(client: words[0], try time(2)) }
        let ends = words[0].split(separator: "@").map(String.init)
        guard ends.count == 2 else { return nil }
        guard words.count > 1 else { throw error("\(words[0]) sends nothing") }
        return .send(client: ends[0], node: ends[1], words: words.dropFirst().map(Self.written(out:)))
    }
}
