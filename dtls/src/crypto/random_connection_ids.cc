#include <sluice/dtls/connection_id.h>
#include <sluice/dtls/environment.h>

#include "crypto/library.h"

namespace sluice::dtls {

Result<void> RandomConnectionIds::make(MutableBytes out) {
  return environment_.library().public_random(out);
}

}  // namespace sluice::dtls
