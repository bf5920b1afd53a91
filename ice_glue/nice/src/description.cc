#include <sluice/nice/description.h>

namespace sluice::nice {

std::string_view to_string(Setup setup) {
  switch (setup) {
    case Setup::actpass:
      return "actpass";
    case Setup::active:
      return "active";
    case Setup::passive:
      return "passive";
  }
  return "unknown";
}

std::optional<Setup> parse_setup(std::string_view word) {
  for (const auto setup : {Setup::actpass, Setup::active, Setup::passive}) {
    if (word == to_string(setup)) return setup;
  }
  return std::nullopt;
}

}  // namespace sluice::nice
