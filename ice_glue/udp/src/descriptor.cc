#include <sluice/udp/descriptor.h>

#include <unistd.h>

namespace sluice::udp {

Descriptor::~Descriptor() {
  if (is_open()) close(number_);
}

}  // namespace sluice::udp
