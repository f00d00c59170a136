// Keeps a process that serves block devices from waiting for those devices.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace aoe::os {

// Under memory pressure the kernel writes dirty pages out before it gives memory to anybody. Where
// those pages belong to a disk that this process serves, a page fault or an allocation here would
// wait for the very write that it has to carry out, for ever. So: no page of ours is ever missing
// (mlockall of what there is), the allocator has a reserve and never asks the kernel for the small
// things that control requests need, and the kernel is told not to make us write out pages
// (PR_SET_IO_FLUSHER, where CAP_SYS_RESOURCE allows it).
//
// Call it when everything large has been allocated, before privileges are given up, with one
// thread. Returns what could not be done, in words; serving goes on without it.
[[nodiscard]] std::vector<std::string> keep_resident(std::size_t heap_reserve_bytes);

}  // namespace aoe::os
