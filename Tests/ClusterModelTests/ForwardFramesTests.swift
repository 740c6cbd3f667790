import ClusterModel
import Testing

/// Payloads of peer frames that are longer than a frame may be.
@Suite struct ForwardFramesTests {
    static func commands(_ sizes: [Int]) -> [UInt8] {
        let batch = ForwardBatch()
        for (index, size) in sizes.enumerated() {
            let command = ForwardedCommand(
                session: 1, attempt: 0, request: UInt64(index), keyspace: KeyspaceID(rawValue: 1),
                shard: ShardID(rawValue: 1), epoch: Epoch(rawValue: 1), protocolVersion: 2)
            batch.begin(command, arguments: 1)
            [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: size).withByteView {
                batch.append(argument: $0)
            }
        }
        return batch.bytes.view.array
    }

    static func replies(_ sizes: [Int]) -> [UInt8] {
        let batch = ForwardReplyBatch()
        for (index, size) in sizes.enumerated() {
            [UInt8](repeating: 7, count: size).withByteView { batch.append(request: UInt64(index), .reply, body: $0) }
        }
        return batch.bytes.view.array
    }

    @Test(arguments: [[], [10], [10, 10, 10, 10], [900, 1, 900, 1], [1, 900, 900]])
    func `parts are within the limit, and together the whole`(_ sizes: [Int]) {
        Self.commands(sizes).withByteView { payload in
            let parts = ForwardFrames.ofCommands(payload, limit: 1000)
            #expect(parts.allSatisfy { $0.count <= 1000 })
            #expect(parts.flatMap(\.array) == payload.array)
            var requests: [UInt64] = []
            for part in parts {
                var cursor = ForwardCursor(part)
                var arguments: [ByteView] = []
                while let command = cursor.next(into: &arguments) { requests.append(command.request) }
                #expect(!cursor.isDamaged)
            }
            #expect(requests == sizes.indices.map { UInt64($0) })
        }
        Self.replies(sizes).withByteView { payload in
            let parts = ForwardFrames.ofReplies(payload, limit: 1000)
            #expect(parts.allSatisfy { $0.count <= 1000 })
            #expect(parts.flatMap(\.array) == payload.array)
        }
    }

    @Test func `a reply above the bound becomes an error`() {
        let batch = ForwardReplyBatch()
        [UInt8](repeating: 7, count: ForwardReplyBatch.longestBody + 1).withByteView {
            batch.append(request: 1, .reply, body: $0)
        }
        var cursor = ForwardReplyCursor(batch.bytes.view)
        #expect(cursor.next()?.body.text.hasPrefix("-ERR the reply is too long") == true)
    }
}
