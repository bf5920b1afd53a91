// The extensions among message_encodings().
#pragma once

#include <vector>

#include "support/encodings.h"

namespace sluice::test {

std::vector<Encoding> extension_encodings();

}  // namespace sluice::test
