import ClusterModel

// CLUSTER: the route table of the connection's keyspace in the words of Redis Cluster. All nodes are masters: clients are
// sent to primaries, but for those that say READONLY.
extension Engine {
    mutating func runCluster(_ call: inout Call, _ id: CommandID) -> Attempt {
        let view = { (engine: borrowing Engine, place: Int) in engine.clusterView(engine.connections[place].keyspace) }
        switch id {
        case .clusterInfo: call.reply.verbatim(clusterInfo(view(self, call.connection)))
        case .clusterNodes: call.reply.verbatim(clusterNodes(view(self, call.connection)))
        case .clusterSlots:
            seesReplicas(call.connection)
                ? writeSlotsWithReplicas(call) : writeSlots(view(self, call.connection), call)
        case .clusterShards: writeShards(view(self, call.connection), call)
        case .clusterMyid:
            call.reply.bulk(ClusterView.Member(node: settings.node, isSelf: true).id)
        case .clusterKeyslot: call.reply.integer(unsafe Int(Slot.number(of: call[2].buffer)))
        default:
            guard let slot = WholeNumber.parse(call[2]) else { return reject(call, WholeNumber.refusal) }
            guard slot >= 0, slot < Int64(Slot.count) else { return reject(call, "ERR Invalid slot") }
            return countSlot(&call, UInt16(slot))
        }
        return .done
    }

    private func clusterInfo(_ view: ClusterView) -> String {
        let own = view.members.first { $0.isSelf }?.epoch ?? 0
        let assigned = view.assigned
        return "cluster_state:\(view.isComplete ? "ok" : "fail")\r\n"
            + "cluster_slots_assigned:\(assigned)\r\ncluster_slots_ok:\(assigned)\r\n"
            + "cluster_slots_pfail:0\r\ncluster_slots_fail:0\r\n"
            + "cluster_known_nodes:\(view.members.count)\r\ncluster_size:\(view.size)\r\n"
            + "cluster_current_epoch:\(view.epoch)\r\ncluster_my_epoch:\(own)\r\n"
            + "cluster_stats_messages_sent:\(stats.forwards)\r\n"
            + "cluster_stats_messages_received:\(stats.corrections)\r\n"
            + "total_cluster_links_buffer_limit_exceeded:0\r\n"
    }

    /// A line a node: id, host:port@cport, flags, master, ping-sent, pong-recv, config-epoch, link-state, slots.
    private func clusterNodes(_ view: ClusterView) -> String {
        var text = ""
        for member in view.members {
            let address = member.node.address
            text += "\(member.id) \(address.host):\(address.port)@\(address.port + 10000) "
            text += "\(member.isSelf ? "myself,master" : "master") - 0 \(member.isSelf ? 0 : now.wall) "
            text += "\(member.epoch) connected"
            for (first, last) in member.slots { text += first == last ? " \(first)" : " \(first)-\(last)" }
            text += "\n"
        }
        return text
    }

    private func writeSlots(_ view: ClusterView, _ call: Call) {
        let intervals = view.intervals
        call.reply.array(intervals.count)
        for (first, last, member) in intervals {
            call.reply.array(3)
            call.reply.integer(first)
            call.reply.integer(last)
            call.reply.array(4)
            call.reply.bulk(member.node.address.host)
            call.reply.integer(member.node.address.port)
            call.reply.bulk(member.id)
            call.reply.map(0)
        }
    }

    private func writeShards(_ view: ClusterView, _ call: Call) {
        call.reply.array(view.members.count)
        for member in view.members {
            call.reply.map(2)
            call.reply.bulk("slots")
            call.reply.array(member.slots.count * 2)
            for (first, last) in member.slots {
                call.reply.integer(first)
                call.reply.integer(last)
            }
            call.reply.bulk("nodes")
            call.reply.array(1)
            call.reply.map(7)
            call.reply.bulk("id")
            call.reply.bulk(member.id)
            call.reply.bulk("port")
            call.reply.integer(member.node.address.port)
            call.reply.bulk("ip")
            call.reply.bulk(member.node.address.host)
            call.reply.bulk("endpoint")
            call.reply.bulk(member.node.address.host)
            call.reply.bulk("role")
            call.reply.bulk("master")
            call.reply.bulk("replication-offset")
            call.reply.integer(replicationOffset(of: member))
            call.reply.bulk("health")
            call.reply.bulk("online")
        }
    }

    /// Records committed here; of other nodes nothing is known.
    private func replicationOffset(of member: ClusterView.Member) -> Int64 {
        guard member.isSelf else { return 0 }
        return numbers.reduce(0) { $0 &+ Int64(truncatingIfNeeded: $1.isServing ? $1.commit : 0) }
    }

    /// CLUSTER COUNTKEYSINSLOT: walks the slot's rows. A slot that is not served here has none, as in Redis.
    private mutating func countSlot(_ call: inout Call, _ slot: UInt16) -> Attempt {
        let index = connections[call.connection].keyspace
        let entry = keyspaces[index].usesSlots ? Int(keyspaces[index].slots[Int(slot)]) : -1
        let replica = entry < 0 ? -1 : keyspaces[index].entries[entry].replica
        guard replica >= 0, numbers[replica].isServing else {
            call.reply.integer(0)
            return .done
        }
        call.replica = replica
        func row(_ slot: UInt16) -> [UInt8] {
            RowBounds.row([UInt8(truncatingIfNeeded: slot >> 8), UInt8(truncatingIfNeeded: slot)])
        }
        return beginWalk(call, .count, from: row(slot), to: row(slot + 1), limit: .max)
    }
}
