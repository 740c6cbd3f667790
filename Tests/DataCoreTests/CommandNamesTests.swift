import ClusterModel
import Testing

@testable import DataCore

@Suite("Looking up commands") struct CommandNamesTests {
    private func find(_ name: String, _ second: String? = nil) -> String? {
        Array(name.utf8).withByteView { name in
            guard let second else { return CommandTable.find(name, nil)?.name }
            return Array(second.utf8).withByteView { CommandTable.find(name, $0)?.name }
        }
    }

    @Test func everyCommandIsFoundByItsName() {
        for spec in CommandTable.all {
            let words = spec.name.split(separator: "|").map(String.init)
            let second = words.count > 1 ? words[1] : nil
            #expect(find(words[0], second) == spec.name)
            #expect(find(words[0].uppercased(), second?.uppercased()) == spec.name)
            let named = Array(spec.name.utf8).withByteView { CommandTable.find(named: $0)?.id }
            #expect(named == spec.id)
        }
    }

    @Test func whatIsNoCommandIsNotFound() {
        for name in ["", "ge", "gett", "client|id", "get|", "|", "g\u{0}t", String(repeating: "x", count: 33)] {
            #expect(find(name) == nil, "\(name)")
        }
        #expect(find("client", "nosuch") == "client")
        #expect(find("client", String(repeating: "x", count: 40)) == "client")
        #expect(find("get", "id") == "get")
    }
}
