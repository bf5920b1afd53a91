#include "support/record_access.h"

#include "connection/impl.h"

namespace sluice::test {
namespace {

// In the arguments of an explicit instantiation access is not checked.
template <auto Implementation, auto State>
struct Access {
  friend dtls::record::RecordLayer& reach(dtls::Connection& connection) {
    return ((*(connection.*Implementation)).*State).records();
  }
};
dtls::record::RecordLayer& reach(dtls::Connection& connection);
template struct Access<&dtls::Connection::impl_, &dtls::Connection::Impl::warm_>;

}  // namespace

dtls::record::RecordLayer& records_of(dtls::Connection& connection) { return reach(connection); }

}  // namespace sluice::test
