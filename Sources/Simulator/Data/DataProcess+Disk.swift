import ClusterModel
import DataCore

// Its disk: how long it takes, when it is full, what a sync that fails means.
extension DataProcess {
    /// Tells the core when the disk's reserve is reached, and when it is not any more, as NodeRuntime's DiskReserve does.
    func lookAtDisk() {
        after(100_000_000) { [self] in
            if let isLow = disk.space.look() { arrive(.input(.diskLow(isLow))) }
            lookAtDisk()
        }
    }

    /// Notes that all of the log is on the disk; false = the sync failed, and the process has ended.
    func syncLog() -> Bool {
        if disk.syncLog(&machine.chance) { return true }
        machine.failStop("a sync of the log failed", isSuspect: true)
        return false
    }

    func afterSync(_ action: @escaping () -> Void) {
        after(machine.slowed(chance.scaled(machine.syncDelay.lowerBound, machine.syncDelay.upperBound)), action)
    }

    func afterApplying(_ action: @escaping () -> Void) {
        after(machine.slowed(chance.between(machine.storeDelay.lowerBound, machine.storeDelay.upperBound)), action)
    }

    /// A read of the store by whichever reader is free first.
    func read(_ look: @escaping () -> DataInput) {
        let reader = readersFree[0] <= readersFree[1] ? 0 : 1
        let done = max(world.now, readersFree[reader]) + machine.slowed(chance.scaled(20_000, machine.readDelay))
        readersFree[reader] = done
        after(done - world.now) { [self] in arrive(.input(look())) }
    }
}
