#include "sfu/media_threads.h"

#include "sfu/sfu_loop.h"
#include "sfu/workers/workers.h"

namespace sluice::interop::sfu {

tl::expected<std::unique_ptr<MediaThreads>, std::string> start_media(
    const LoopOptions& options, const std::optional<MovedSfu>& moved) {
  if (options.threads > 1) return Workers::start(options, moved);
  return SfuLoop::start(options, moved);
}

}  // namespace sluice::interop::sfu
